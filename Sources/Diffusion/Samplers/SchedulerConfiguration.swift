package import Foundation

/// scheduler_config.json; fields left out take diffusers' defaults.
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
    package var betaStart: Float = 0.0001
    package var betaEnd: Float = 0.02
    package var betaSchedule = "linear"
    package var predictionType = PredictionType.epsilon
    package var timestepSpacing = Spacing.leading
    package var stepsOffset = 0
    package var clipSample = false
    package var clipSampleRange: Float = 1
    package var setAlphaToOne = true
    package var varianceType = "fixed_small"

    private enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case trainTimesteps = "num_train_timesteps"
        case betaStart = "beta_start"
        case betaEnd = "beta_end"
        case betaSchedule = "beta_schedule"
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
        timestepSpacing = try read(
            .timestepSpacing, className == "EulerDiscreteScheduler" ? .linspace : timestepSpacing)
        stepsOffset = try read(.stepsOffset, stepsOffset)
        clipSample = try read(.clipSample, ["DDPMScheduler", "DDIMScheduler"].contains(className))
        clipSampleRange = try read(.clipSampleRange, clipSampleRange)
        setAlphaToOne = try read(.setAlphaToOne, className != "PNDMScheduler")
        varianceType = try read(.varianceType, varianceType)
        guard ["linear", "scaled_linear"].contains(betaSchedule), trainTimesteps > 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .betaSchedule, in: fields, debugDescription: "beta_schedule '\(betaSchedule)' is not supported")
        }
    }

    package init(folder: URL) throws(ModelError) {
        self = try readConfiguration(
            SchedulerConfiguration.self, folder.appendingPathComponent("scheduler_config.json"), snakeCase: false)
    }
}
