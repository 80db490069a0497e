package import Foundation

/// scheduler_config.json; fields left out take diffusers' defaults.
///
/// Where those differ by scheduler class the field stays nil, and each sampler takes its own class's default, as
/// diffusers does when it makes one scheduler from another's configuration.
package struct SchedulerConfiguration: Codable, Sendable, Equatable {
    package enum PredictionType: String, Codable, Sendable {
        case epsilon
        case velocity = "v_prediction"
    }

    package enum Spacing: String, Codable, Sendable {
        case leading, trailing, linspace
    }

    package var className = "DDPMScheduler"
    package var trainTimesteps = 1000
    package var betaStart = 0.0001
    package var betaEnd = 0.02
    package var betaSchedule = "linear"
    package var trainedBetas: [Float]?
    package var predictionType = PredictionType.epsilon
    package var timestepSpacing: Spacing?
    package var stepsOffset = 0
    package var clipSample: Bool?
    package var clipSampleRange: Float = 1
    package var setAlphaToOne: Bool?
    package var varianceType = "fixed_small"

    private enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case trainTimesteps = "num_train_timesteps"
        case betaStart = "beta_start"
        case betaEnd = "beta_end"
        case betaSchedule = "beta_schedule"
        case trainedBetas = "trained_betas"
        case predictionType = "prediction_type"
        case timestepSpacing = "timestep_spacing"
        case stepsOffset = "steps_offset"
        case clipSample = "clip_sample"
        case clipSampleRange = "clip_sample_range"
        case setAlphaToOne = "set_alpha_to_one"
        case varianceType = "variance_type"
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try fields.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        className = try read(.className, className)
        trainTimesteps = try read(.trainTimesteps, trainTimesteps)
        betaStart = try read(.betaStart, betaStart)
        betaEnd = try read(.betaEnd, betaEnd)
        betaSchedule = try read(.betaSchedule, betaSchedule)
        predictionType = try read(.predictionType, predictionType)
        trainedBetas = try fields.decodeIfPresent([Float].self, forKey: .trainedBetas)
        timestepSpacing = try fields.decodeIfPresent(Spacing.self, forKey: .timestepSpacing)
        stepsOffset = try read(.stepsOffset, stepsOffset)
        clipSample = try fields.decodeIfPresent(Bool.self, forKey: .clipSample)
        clipSampleRange = try read(.clipSampleRange, clipSampleRange)
        setAlphaToOne = try fields.decodeIfPresent(Bool.self, forKey: .setAlphaToOne)
        varianceType = try read(.varianceType, varianceType)
        guard ["linear", "scaled_linear"].contains(betaSchedule) else {
            throw DecodingError.dataCorruptedError(
                forKey: .betaSchedule, in: fields, debugDescription: "beta_schedule '\(betaSchedule)' is not supported")
        }
        guard trainTimesteps > 1, trainedBetas.map({ $0.count == trainTimesteps }) ?? true else {
            throw DecodingError.dataCorruptedError(
                forKey: .trainTimesteps, in: fields, debugDescription: "num_train_timesteps does not fit")
        }
        guard 0 < betaStart, betaStart <= betaEnd, betaEnd < 1, (0..<trainTimesteps).contains(stepsOffset) else {
            throw DecodingError.dataCorruptedError(
                forKey: .betaStart, in: fields,
                debugDescription: "needs 0 < beta_start ≤ beta_end < 1 and 0 ≤ steps_offset < num_train_timesteps")
        }
        try UnfollowedSettings(from: decoder).refuse(["fixed_small", "fixed_large"].contains(varianceType))
    }

    package init(folder: URL) throws(ModelError) {
        self = try readConfiguration(
            SchedulerConfiguration.self, folder.appendingPathComponent("scheduler_config.json"), snakeCase: false)
    }
}

/// Settings that would change the result and that no sampler here follows: they must not be passed over in silence.
private struct UnfollowedSettings: Decodable {
    var thresholding: Bool?
    var rescale_betas_zero_snr: Bool?
    var use_karras_sigmas: Bool?
    var use_exponential_sigmas: Bool?
    var use_beta_sigmas: Bool?
    var interpolation_type: String?
    var final_sigmas_type: String?

    func refuse(_ varianceIsKnown: Bool) throws {
        let refused = [
            ("thresholding", thresholding == true), ("rescale_betas_zero_snr", rescale_betas_zero_snr == true),
            ("use_karras_sigmas", use_karras_sigmas == true),
            ("use_exponential_sigmas", use_exponential_sigmas == true), ("use_beta_sigmas", use_beta_sigmas == true),
            ("interpolation_type", interpolation_type ?? "linear" != "linear"),
            ("final_sigmas_type", final_sigmas_type ?? "zero" != "zero"), ("variance_type", !varianceIsKnown),
        ]
        guard let (name, _) = refused.first(where: \.1) else { return }
        throw DecodingError.dataCorrupted(
            .init(codingPath: [], debugDescription: "its setting of \(name) is not supported"))
    }
}
