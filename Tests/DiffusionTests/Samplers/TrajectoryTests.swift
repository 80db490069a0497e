import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Ten steps of every sampler against diffusers")
struct TrajectoryTests {
    @Test(arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"], [SamplerKind.ddpm, .ddim, .pndm, .euler])
    func trajectory(model: String, kind: SamplerKind) throws {
        let names: [SamplerKind: String] = [
            .ddpm: "DDPMScheduler", .ddim: "DDIMScheduler", .pndm: "PNDMScheduler", .euler: "EulerDiscreteScheduler",
        ]
        let name = try #require(names[kind])
        let golden = try Goldens.file(model)
        let stored = try SchedulerConfiguration(folder: Goldens.folder.appending(path: "\(model)/scheduler"))
        var configuration = SchedulerConfiguration()
        (configuration.betaStart, configuration.betaEnd) = (0.00085, 0.012)
        (configuration.betaSchedule, configuration.stepsOffset) = ("scaled_linear", 1)
        configuration.predictionType = stored.predictionType
        (configuration.clipSample, configuration.setAlphaToOne) = (false, false)
        configuration.timestepSpacing = .leading

        var sampler = try kind.make(configuration, steps: 10)
        #expect(sampler.timesteps == (try golden.tensor("\(name).timesteps").values))
        var generator = TorchGenerator(seed: 5)
        let outputs = try golden.tensor("\(name).model_output")
        let expected = try golden.tensor("\(name).trajectory")
        var x = try golden.tensor("\(name).x0")
        let shape = x.shape
        for step in sampler.timesteps.indices {
            let output = outputs.batch(step..<step + 1).reshaped(shape)
            x = sampler.step(modelOutput: output, step: step, sample: x) { generator.normal(shape) }
            #expect(relativeError(x, expected.batch(step..<step + 1)) < 1e-4, "step \(step)")
        }
    }

    @Test func hundredStepsStartAt991() throws {
        var configuration = SchedulerConfiguration()
        configuration.stepsOffset = 1
        let timesteps = try SamplerKind.ddpm.make(configuration, steps: 100).timesteps
        #expect(timesteps.prefix(3) == [991, 981, 971])
        #expect(timesteps.last == 1)
    }

    /// From diffusers 0.42: set_timesteps(7) of the DDIM and Euler schedulers.
    @Test func spacings() throws {
        var configuration = SchedulerConfiguration()
        configuration.timestepSpacing = .trailing
        #expect(try SamplerKind.ddim.make(configuration, steps: 7).timesteps == [999, 856, 713, 570, 428, 285, 142])
        configuration.timestepSpacing = .linspace
        #expect(try SamplerKind.ddim.make(configuration, steps: 7).timesteps == [999, 832, 666, 500, 333, 166, 0])
        // Euler alone follows fractions, and is spaced so where the file says nothing.
        configuration.timestepSpacing = nil
        #expect(try SamplerKind.euler.make(configuration, steps: 7).timesteps[1] == 832.5)
        #expect(try SamplerKind.ddim.make(configuration, steps: 7).timesteps[1] == 710)
    }

    @Test func clampsTheCleanSample() throws {
        var configuration = SchedulerConfiguration()
        configuration.timestepSpacing = .linspace
        var sampler = try SamplerKind.ddim.make(configuration, steps: 1)
        let x = Tensor(shape: [2], values: [50, -50])
        #expect(sampler.step(modelOutput: Tensor(zeros: [2]), step: 0, sample: x) { x }.values == [1, -1])
    }

    @Test(arguments: SamplerKind.allCases.filter { $0 != .lcm })
    func everyTimestepOrNone(kind: SamplerKind) throws {
        var configuration = SchedulerConfiguration()
        configuration.stepsOffset = 1
        var sampler = try kind.make(configuration, steps: 1000)
        var x = Tensor(filled: 1, shape: [1])
        for step in 0..<3 { x = sampler.step(modelOutput: x, step: step, sample: x) { x } }
        #expect(x.scalar.isFinite)
        for steps in [0, -1, 1001] {
            #expect(throws: ModelError.self) { try kind.make(configuration, steps: steps) }
        }
    }
}
