package import Foundation

/// scheduler_config.json; fields left out take diffusers' defaults.
///
/// Where those differ by scheduler class the field stays nil, and each sampler takes its own class's default, as
/// diffusers does when it makes one scheduler from another's configuration. Which fields count depends on the class too:
/// see ``problem(for:)``.
package struct SchedulerConfiguration: Decodable, Sendable, Equatable {
    package enum PredictionType: String, Codable, Sendable {
        case epsilon
        case velocity = "v_prediction"
    }

    package enum Spacing: String, Codable, Sendable {
        case leading, trailing, linspace
    }

    /// The class that the model folder is loaded with.
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
    package var rescaleBetasZeroSNR = false
    /// PNDM: without the Runge–Kutta start, as Stable Diffusion uses it; nil where the file does not say.
    package var skipPRKSteps: Bool?
    package var sigmas = SigmaSettings()
    package var solver = SolverSettings()
    package var lcm = LCMSettings()
    /// Whether diffusers' pipeline of this model corrects the file (``resolved(for:)``).
    package var isCorrected = false
    /// All fields of the file, for what they are judged by.
    private(set) var fields: [String: JSONValue] = [:]

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
        case rescaleBetasZeroSNR = "rescale_betas_zero_snr"
        case skipPRKSteps = "skip_prk_steps"
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try container.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        className = try read(.className, className)
        trainTimesteps = try read(.trainTimesteps, trainTimesteps)
        betaStart = try read(.betaStart, betaStart)
        betaEnd = try read(.betaEnd, betaEnd)
        betaSchedule = try read(.betaSchedule, betaSchedule)
        predictionType = try read(.predictionType, predictionType)
        trainedBetas = try container.decodeIfPresent([Float].self, forKey: .trainedBetas)
        timestepSpacing = try container.decodeIfPresent(Spacing.self, forKey: .timestepSpacing)
        stepsOffset = try read(.stepsOffset, stepsOffset)
        clipSample = try container.decodeIfPresent(Bool.self, forKey: .clipSample)
        clipSampleRange = try read(.clipSampleRange, clipSampleRange)
        setAlphaToOne = try container.decodeIfPresent(Bool.self, forKey: .setAlphaToOne)
        varianceType = try read(.varianceType, varianceType)
        rescaleBetasZeroSNR = try read(.rescaleBetasZeroSNR, rescaleBetasZeroSNR)
        skipPRKSteps = try container.decodeIfPresent(Bool.self, forKey: .skipPRKSteps)
        sigmas = try SigmaSettings(from: decoder)
        solver = try SolverSettings(from: decoder)
        lcm = try LCMSettings(from: decoder)
        fields = try decoder.singleValueContainer().decode([String: JSONValue].self)
        guard ["linear", "scaled_linear", "squaredcos_cap_v2"].contains(betaSchedule) else {
            throw DecodingError.dataCorruptedError(
                forKey: .betaSchedule, in: container, debugDescription: "'\(betaSchedule)' is not supported")
        }
        guard (2...1_000_000).contains(trainTimesteps), trainedBetas.map({ $0.count == trainTimesteps }) ?? true else {
            throw DecodingError.dataCorruptedError(
                forKey: .trainTimesteps, in: container, debugDescription: "num_train_timesteps does not fit")
        }
        guard trainedBetas?.allSatisfy({ 0 < $0 && $0 < 1 }) ?? true else {
            throw DecodingError.dataCorruptedError(
                forKey: .trainedBetas, in: container, debugDescription: "needs values between 0 and 1")
        }
        guard 0 < betaStart, betaStart <= betaEnd, betaEnd < 1, (0..<trainTimesteps).contains(stepsOffset) else {
            throw DecodingError.dataCorruptedError(
                forKey: .betaStart, in: container,
                debugDescription: "needs 0 < beta_start ≤ beta_end < 1 and 0 ≤ steps_offset < num_train_timesteps")
        }
    }

    /// - Parameters:
    ///   - folder: of the scheduler.
    ///   - ignored: fields of the file that are taken as if they were not there.
    package init(folder: URL, ignoring ignored: IgnoredFields = IgnoredFields()) throws(ModelError) {
        self = try readConfiguration(
            SchedulerConfiguration.self, folder.appendingPathComponent("scheduler_config.json"), snakeCase: false,
            part: "scheduler", rules: .scheduler, ignoring: ignored)
    }

    /// The configuration that diffusers ends up with for a sampler.
    ///
    /// - The pipeline of SD-1.x and 2.x sets steps_offset to 1 and clip_sample to false in any scheduler that it is
    ///   loaded with. A scheduler made from that of another class keeps what the file says, corrected, and takes its own
    ///   class's default for what the file does not say, as it is.
    /// - A file of PNDM's own that does not say otherwise has the Runge–Kutta start; one of another class does not, since
    ///   no Stable Diffusion model is made for it.
    /// - PNDM knows no rescaling of betas; LCM has betas of its own where the file has none.
    package func resolved(for kind: SamplerKind) -> SchedulerConfiguration {
        var out = self
        let isOwn = className == kind.className
        if isCorrected {
            if isOwn || fields["steps_offset"] != nil { out.stepsOffset = 1 }
            if isOwn || clipSample == true { out.clipSample = false }
        }
        if kind == .pndm {
            out.rescaleBetasZeroSNR = false
            out.skipPRKSteps = skipPRKSteps ?? (fields.isEmpty || !isOwn)
        }
        let hasBetas = fields["beta_start"] != nil || fields["beta_end"] != nil || fields["beta_schedule"] != nil
        if kind == .lcm, !fields.isEmpty, !hasBetas {
            (out.betaStart, out.betaEnd, out.betaSchedule) = (0.00085, 0.012, "scaled_linear")
        }
        return out
    }
}

/// How samplers in σ choose their steps (Karras et al., arXiv 2206.00364).
package struct SigmaSettings: Decodable, Sendable, Equatable {
    package var karras = false
    package var exponential = false
    package var beta = false
    /// Uniform steps of log SNR (Lu et al., arXiv 2206.00927); DPM-Solver only.
    package var lu = false
    package var smallest, largest: Double?
    /// "linear" or "log_linear"; Euler only.
    package var interpolation = "linear"
    /// Whether the last σ is that of the first training timestep, not 0.
    package var endsAtSmallest = false
    /// Whether the model is told ¼·ln σ in place of a timestep; Euler with v-prediction only.
    package var isContinuous = false

    private enum CodingKeys: String, CodingKey {
        case karras = "use_karras_sigmas"
        case exponential = "use_exponential_sigmas"
        case beta = "use_beta_sigmas"
        case lu = "use_lu_lambdas"
        case smallest = "sigma_min"
        case largest = "sigma_max"
        case interpolation = "interpolation_type"
        case final = "final_sigmas_type"
        case timestepType = "timestep_type"
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        karras = try container.decodeIfPresent(Bool.self, forKey: .karras) ?? false
        exponential = try container.decodeIfPresent(Bool.self, forKey: .exponential) ?? false
        beta = try container.decodeIfPresent(Bool.self, forKey: .beta) ?? false
        lu = try container.decodeIfPresent(Bool.self, forKey: .lu) ?? false
        smallest = try container.decodeIfPresent(Double.self, forKey: .smallest)
        largest = try container.decodeIfPresent(Double.self, forKey: .largest)
        interpolation = try container.decodeIfPresent(String.self, forKey: .interpolation) ?? "linear"
        endsAtSmallest = try container.decodeIfPresent(String.self, forKey: .final) == "sigma_min"
        isContinuous = try container.decodeIfPresent(String.self, forKey: .timestepType) == "continuous"
        try container.require(
            [karras, exponential, beta].count { $0 } < 2, .karras,
            "only one of karras, exponential and beta sigmas is possible")
        try container.require(
            smallest ?? 1 > 0 && smallest ?? 0 <= largest ?? .infinity, .smallest, "needs 0 < sigma_min ≤ sigma_max")
    }
}

/// What the multistep solvers DPM-Solver++ and UniPC can be told.
package struct SolverSettings: Decodable, Sendable, Equatable {
    package var order = 2
    /// "dpmsolver++" or "sde-dpmsolver++"; nil where the file does not say.
    package var algorithm: String?
    /// "midpoint" or "heun" for DPM-Solver++, "bh1" or "bh2" for UniPC; names of another class mean the default.
    package var type: String?
    package var lowerOrderFinal = true
    package var eulerAtFinal = false
    /// Smallest log SNR to 2, that is ln α − ln σ.
    package var smallestLambda = -Double.infinity
    package var predictsClean = true
    /// Steps after which UniPC does not correct.
    package var uncorrected: [Int] = []

    private enum CodingKeys: String, CodingKey {
        case order = "solver_order"
        case algorithm = "algorithm_type"
        case type = "solver_type"
        case lowerOrderFinal = "lower_order_final"
        case eulerAtFinal = "euler_at_final"
        case smallestLambda = "lambda_min_clipped"
        case predictsClean = "predict_x0"
        case uncorrected = "disable_corrector"
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        order = try container.decodeIfPresent(Int.self, forKey: .order) ?? order
        algorithm = try container.decodeIfPresent(String.self, forKey: .algorithm)
        type = try container.decodeIfPresent(String.self, forKey: .type)
        lowerOrderFinal = try container.decodeIfPresent(Bool.self, forKey: .lowerOrderFinal) ?? true
        eulerAtFinal = try container.decodeIfPresent(Bool.self, forKey: .eulerAtFinal) ?? false
        smallestLambda = try container.decodeIfPresent(Double.self, forKey: .smallestLambda) ?? -.infinity
        predictsClean = try container.decodeIfPresent(Bool.self, forKey: .predictsClean) ?? true
        uncorrected = try container.decodeIfPresent([Int].self, forKey: .uncorrected) ?? []
        try container.require((1...8).contains(order), .order, "\(order) is not an order of a solver")
    }
}

/// What the sampler of latent consistency models can be told (Luo et al., arXiv 2310.04378).
package struct LCMSettings: Decodable, Sendable, Equatable {
    /// Steps of the sampler that the model was distilled from.
    package var originalSteps = 50
    package var timestepScaling: Float = 10

    private enum CodingKeys: String, CodingKey {
        case originalSteps = "original_inference_steps"
        case timestepScaling = "timestep_scaling"
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        originalSteps = try container.decodeIfPresent(Int.self, forKey: .originalSteps) ?? originalSteps
        timestepScaling = try container.decodeIfPresent(Float.self, forKey: .timestepScaling) ?? timestepScaling
        try container.require(originalSteps > 0, .originalSteps, "\(originalSteps) steps")
    }
}
