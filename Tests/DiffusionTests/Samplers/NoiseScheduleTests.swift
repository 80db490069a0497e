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
        let configuration = try read(
            """
            {"_class_name": "DDIMScheduler", "num_train_timesteps": 4, "trained_betas": [0.1, 0.2, 0.3, 0.4],
             "prediction_type": "v_prediction", "timestep_spacing": "trailing", "steps_offset": 1,
             "set_alpha_to_one": false, "clip_sample": true, "clip_sample_range": 2.5, "some_new_field": [1]}
            """)
        #expect(configuration.className == "DDIMScheduler")
        #expect(configuration.predictionType == .velocity && configuration.timestepSpacing == .trailing)
        #expect(configuration.setAlphaToOne == false && configuration.clipSample == true)
        #expect(configuration.clipSampleRange == 2.5 && configuration.stepsOffset == 1)
        #expect(NoiseSchedule(configuration).betas == [0.1, 0.2, 0.3, 0.4])
    }

    @Test(arguments: [
        #"{"prediction_type": "sample"}"#, #"{"beta_schedule": "squaredcos_cap_v2"}"#, #"{"thresholding": true}"#,
        #"{"use_karras_sigmas": true}"#, #"{"num_train_timesteps": 0}"#, #"{"beta_start": 2}"#,
        #"{"steps_offset": "x"}"#,
        #"{"variance_type": "learned"}"#, #"{"trained_betas": [0.1]}"#, "[]", "",
    ])
    func refusesWhatItDoesNotFollow(json: String) {
        #expect(throws: ModelError.self) { try read(json) }
    }

    private func read(_ json: String) throws -> SchedulerConfiguration {
        let folder = FileManager.default.temporaryDirectory.appending(path: "scheduler-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(json.utf8).write(to: folder.appending(path: "scheduler_config.json"))
        return try SchedulerConfiguration(folder: folder)
    }
}
