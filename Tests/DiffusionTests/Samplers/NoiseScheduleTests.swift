import Diffusion
import Foundation
import Testing

@Suite struct NoiseScheduleTests {
    /// β and ᾱ from torch 2.15 for the settings of Stable Diffusion.
    @Test func followsTorch() throws {
        let schedule = NoiseSchedule(
            try SchedulerConfiguration(folder: Goldens.tinySD.appending(path: "scheduler")))
        #expect(schedule.count == 1000)
        let rows: [(Int, Float, Float)] = [
            (0, 0.00084999995306134, 0.99914997816086), (1, 0.00085469859186560, 0.99829602241516),
            (500, 0.00481495354324579, 0.27633246779442), (998, 0.01198237482458353, 0.00471669575199485),
            (999, 0.01199999917298555, 0.00466009508818388),
        ]
        for (t, beta, kept) in rows {
            #expect(abs(schedule.betas[t] / beta - 1) < 3e-7)
            #expect(abs(schedule.alphasCumprod[t] / kept - 1) < 2e-6)
        }
    }

    @Test func readsEveryField() throws {
        let configuration = try scheduler(
            """
            {"_class_name": "DDIMScheduler", "num_train_timesteps": 4, "trained_betas": [0.1, 0.2, 0.3, 0.4],
             "prediction_type": "v_prediction", "timestep_spacing": "trailing", "steps_offset": 1,
             "set_alpha_to_one": false, "clip_sample": true, "clip_sample_range": 2.5, "some_new_field": null}
            """)
        #expect(configuration.className == "DDIMScheduler")
        #expect(configuration.predictionType == .velocity && configuration.timestepSpacing == .trailing)
        #expect(configuration.setAlphaToOne == false && configuration.clipSample == true)
        #expect(configuration.clipSampleRange == 2.5 && configuration.stepsOffset == 1)
        #expect(NoiseSchedule(configuration).betas == [0.1, 0.2, 0.3, 0.4])
    }

    @Test(arguments: [
        #"{"prediction_type": "sample"}"#, #"{"beta_schedule": "sigmoid"}"#, #"{"prediction_type": "flow_prediction"}"#,
        #"{"_class_name": "EDMDPMSolverMultistepScheduler"}"#, #"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#,
        #"{"use_karras_sigmas": true, "use_beta_sigmas": true}"#, #"{"num_train_timesteps": 0}"#,
        #"{"beta_start": 2}"#, #"{"steps_offset": "x"}"#, #"{"timestep_spacing": "log"}"#,
        #"{"solver_order": 0}"#, #"{"trained_betas": [0.1]}"#, #"{"some_new_field": [1]}"#, "[]", "",
    ])
    func refusesWhatItDoesNotFollow(json: String) {
        #expect(throws: ModelError.self) { try scheduler(json) }
    }

    /// What a sampler's class in diffusers does not have is left aside; what it has is followed or refused.
    @Test(arguments: [
        (#"{"thresholding": true}"#, "ddpm ddim unipc dpmpp-2m dpmpp-2m-karras dpmpp-2m-sde dpmpp-2m-sde-karras lcm"),
        (#"{"variance_type": "learned"}"#, "ddpm dpmpp-2m dpmpp-2m-karras dpmpp-2m-sde dpmpp-2m-sde-karras"),
        (#"{"use_karras_sigmas": true}"#, ""), (#"{"rescale_betas_zero_snr": true}"#, ""),
        (#"{"interpolation_type": "cubic"}"#, "euler"), (#"{"timestep_type": "odd"}"#, "euler"),
        (#"{"final_sigmas_type": "one"}"#, "euler unipc dpmpp-2m dpmpp-2m-karras dpmpp-2m-sde dpmpp-2m-sde-karras"),
        (#"{"algorithm_type": "sde-dpmsolver++"}"#, "dpmpp-2m dpmpp-2m-karras"),
        (
            #"{"algorithm_type": "dpmsolver"}"#,
            "dpmpp-2m dpmpp-2m-karras dpmpp-2m-sde dpmpp-2m-sde-karras"
        ),
        (#"{"solver_order": 3}"#, "dpmpp-2m-sde dpmpp-2m-sde-karras"),
        (
            #"{"use_flow_sigmas": true, "flow_shift": 3}"#,
            "unipc dpmpp-2m dpmpp-2m-karras dpmpp-2m-sde dpmpp-2m-sde-karras"
        ),
        (#"{"shift_terminal": 0.1}"#, "unipc"), (#"{"solver_p": {"a": 1}}"#, "unipc"),
        (#"{"lambda_min_clipped": -Infinity, "tau_func": 3, "some_new_field": null, "another": false}"#, ""),
        (#"{"_diffusers_version": "0.1", "clip_sample": true, "_note": 1}"#, ""),
    ])
    func fieldsAreJudgedForTheSampler(json: String, refusing: String) throws {
        let configuration = try scheduler(json)
        let names = Set(refusing.split(separator: " ").map(String.init))
        for kind in SamplerKind.allCases {
            let problem = configuration.problem(for: .sampling(kind))
            #expect((problem != nil) == names.contains(kind.rawValue), "\(kind): \(problem ?? "no problem")")
        }
        #expect(configuration.problem(for: .noising) == nil)
    }

    @Test func ignoredFieldsTakeTheirDefaults() throws {
        let json = #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0, "beta_end": 0.012}"#
        let error = #expect(throws: ModelError.self) { try scheduler(json, ignoring: ["_class_name"]) }
        #expect(error?.message.contains("shift") == true && error?.message.contains("--ignore-config") == true)
        let read = try scheduler(json, ignoring: ["_class_name", "scheduler.shift", "beta_end"])
        #expect(read.betaEnd == 0.02)
    }

    /// What diffusers 0.42 holds after StableDiffusionPipeline was made around a file, and from_config to a class.
    @Test func theCorrectionsOfThePipeline() throws {
        func read(_ json: String, _ kind: SamplerKind, corrected: Bool = true) throws -> (offset: Int, clips: Bool?) {
            var configuration = try scheduler(json)
            configuration.isCorrected = corrected
            let out = configuration.resolved(for: kind)
            return (out.stepsOffset, out.clipSample)
        }
        let old = #"{"_class_name": "DDIMScheduler", "clip_sample": true, "steps_offset": 0}"#
        for kind in [SamplerKind.ddim, .ddpm] { #expect(try read(old, kind) == (1, false)) }
        #expect(try read(old, .ddim, corrected: false) == (0, true))
        let bare = #"{"_class_name": "DDPMScheduler"}"#
        #expect(try read(bare, .ddpm) == (1, false))
        #expect(try read(bare, .ddim) == (0, nil))
    }

    /// From diffusers: DDIMScheduler(beta_start=0.00085, beta_end=0.012, scaled_linear, rescale_betas_zero_snr=True).
    @Test func zeroTerminalSNR() throws {
        let configuration = try scheduler(
            #"{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "rescale_betas_zero_snr": true}"#
        )
        let schedule = NoiseSchedule(configuration)
        #expect(schedule.alphasCumprod[999] == 0 && schedule.betas[999] == 1)
        #expect(abs(schedule.alphasCumprod[0] - 0.99915) < 1e-5)
        let trace = MITrace(timesteps: [999, 500], deltaSquared: [0, 2])
        let score = MeanKappaEstimator().estimate(trace, schedule: schedule)
        #expect(score.value.isFinite && score.value > 0)
    }
}
