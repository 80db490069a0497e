/// What a model's noise schedule is used for: what of its file counts depends on it.
package enum SchedulerUse: Sendable, Equatable {
    /// Adding noise, as training and scoring do.
    case noising
    case sampling(SamplerKind)
}

extension FieldRules {
    /// Every field of the scheduler classes of diffusers 0.42 that work on the same noise schedules, and those that
    /// files carry from one class to another. Which of them count is for ``scheduler(_:)`` to say.
    private static let schedulerFields: Set<String> = [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type",
        "timestep_spacing", "steps_offset", "clip_sample", "clip_sample_range", "set_alpha_to_one", "thresholding",
        "dynamic_thresholding_ratio", "sample_max_value", "rescale_betas_zero_snr", "variance_type", "skip_prk_steps",
        "interpolation_type", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "sigma_min",
        "sigma_max", "timestep_type", "final_sigmas_type", "solver_order", "algorithm_type", "solver_type",
        "lower_order_final", "euler_at_final", "use_lu_lambdas", "use_flow_sigmas", "flow_shift", "lambda_min_clipped",
        "use_dynamic_shifting", "time_shift_type", "predict_x0", "disable_corrector", "solver_p", "shift_terminal",
        "original_inference_steps", "timestep_scaling", "predictor_order", "corrector_order", "tau_func",
        "noise_sampler_seed",
    ]

    /// What any use of a scheduler file rests on.
    static let scheduler = FieldRules(
        followed: [
            "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type",
        ],
        fixed: ["_class_name": compatibleSchedulers.map { .text($0) }],
        foreign: schedulerFields)

    /// Classes whose models predict noise or velocity over a variance-preserving schedule of betas.
    private static let compatibleSchedulers =
        [
            "DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "EulerDiscreteScheduler",
            "EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler",
            "LCMScheduler", "DDIMParallelScheduler", "DDIMInverseScheduler", "DDPMParallelScheduler",
            "LMSDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverMultistepInverseScheduler",
            "DPMSolverSinglestepScheduler", "DPMSolverSDEScheduler", "KDPM2DiscreteScheduler",
            "KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler", "TCDScheduler", "SASolverScheduler",
        ]

    /// What one sampler follows of a file, as its class in diffusers does.
    fileprivate static func sampler(_ kind: SamplerKind) -> FieldRules {
        let off: [JSONValue] = [.bool(false)]
        var rules = scheduler
        rules.foreign = schedulerFields
        func follow(_ names: String...) { rules.followed.formUnion(names) }
        func ignoreThresholdingDetails() {
            rules.harmless.formUnion(["dynamic_thresholding_ratio", "sample_max_value"])
            rules.fixed["thresholding"] = off
        }
        func refuseFlow() {
            rules.harmless.formUnion(["flow_shift", "time_shift_type"])
            rules.fixed["use_flow_sigmas"] = off
            rules.fixed["use_dynamic_shifting"] = off
        }
        follow("steps_offset", "timestep_spacing")
        if kind != .pndm { follow("rescale_betas_zero_snr") }
        switch kind {
        case .ddpm:
            follow("clip_sample", "clip_sample_range")
            ignoreThresholdingDetails()
            rules.fixed["variance_type"] = [.text("fixed_small"), .text("fixed_small_log"), .text("fixed_large")]
        case .ddim:
            follow("clip_sample", "clip_sample_range", "set_alpha_to_one")
            ignoreThresholdingDetails()
        case .pndm:
            follow("skip_prk_steps", "set_alpha_to_one")
        case .euler:
            follow(
                "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "sigma_min", "sigma_max")
            rules.fixed["interpolation_type"] = [.text("linear"), .text("log_linear")]
            rules.fixed["timestep_type"] = [.text("discrete"), .text("continuous")]
            rules.fixed["final_sigmas_type"] = [.text("zero"), .text("sigma_min")]
        case .eulerAncestral: break
        case .dpmpp2M, .dpmpp2MKarras, .dpmpp2MSDE, .dpmpp2MSDEKarras:
            follow(
                "lower_order_final", "euler_at_final", "use_karras_sigmas", "use_exponential_sigmas",
                "use_beta_sigmas", "use_lu_lambdas", "lambda_min_clipped", "sigma_min", "sigma_max")
            ignoreThresholdingDetails()
            refuseFlow()
            rules.fixed["solver_order"] =
                [.number(2), .number(1)] + (kind.isStochasticSolver ? [] : [.number(3)])
            // Another class's names for its own solvers mean the default to this one.
            rules.fixed["solver_type"] = ["midpoint", "heun", "logrho", "bh1", "bh2"].map { .text($0) }
            rules.fixed["algorithm_type"] =
                kind.isStochasticSolver
                ? [.text("sde-dpmsolver++"), .text("dpmsolver++"), .text("deis")]
                : [.text("dpmsolver++"), .text("deis")]
            rules.fixed["final_sigmas_type"] = [.text("zero"), .text("sigma_min")]
            // DDPM's fixed variances mean nothing to it; learned ones come from a network with more outputs.
            rules.fixed["variance_type"] = ["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"].map {
                .text($0)
            }
        case .unipc:
            follow(
                "solver_order", "lower_order_final", "predict_x0", "disable_corrector", "use_karras_sigmas",
                "use_exponential_sigmas", "use_beta_sigmas", "sigma_min", "sigma_max")
            ignoreThresholdingDetails()
            refuseFlow()
            rules.fixed["solver_type"] = ["bh2", "bh1", "midpoint", "heun", "logrho"].map { .text($0) }
            rules.fixed["solver_p"] = [.null]
            rules.fixed["shift_terminal"] = [.null]
            rules.fixed["final_sigmas_type"] = [.text("zero"), .text("sigma_min")]
        case .lcm:
            follow(
                "clip_sample", "clip_sample_range", "set_alpha_to_one", "original_inference_steps", "timestep_scaling")
            ignoreThresholdingDetails()
        }
        return rules
    }

    fileprivate static func noising(_ configuration: SchedulerConfiguration) -> FieldRules {
        var rules = scheduler
        rules.followed.insert("rescale_betas_zero_snr")
        // Such a model knows no timesteps, only noise levels.
        if configuration.predictionType == .velocity { rules.fixed["timestep_type"] = [.text("discrete")] }
        return rules
    }
}

extension SchedulerConfiguration {
    /// What of the file stands in the way of a use, as a message; nil where nothing does.
    package func problem(for use: SchedulerUse) -> String? {
        switch use {
        case .noising: FieldRules.noising(self).problem(fields)
        case .sampling(let kind): FieldRules.sampler(kind).problem(fields)
        }
    }

    /// The class that says that the model was distilled to work in few steps with a sampler of its own; nil for others.
    package var distilledClass: String? {
        var names = [className]
        if case .text(let name)? = fields["_class_name"] { names.append(name) }
        return names.first { ["LCMScheduler", "TCDScheduler"].contains($0) }
    }
}
