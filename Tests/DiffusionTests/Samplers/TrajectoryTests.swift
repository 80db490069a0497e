import Diffusion
import Foundation
import Tensor
import Testing

@Suite("Ten steps of every sampler against diffusers")
struct TrajectoryTests {
    @Test(arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"], SamplerKind.allCases)
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
        configuration.setAlphaToOne = false

        var sampler = kind.make(configuration, steps: 10)
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

    @Test func hundredStepsStartAt991() {
        var configuration = SchedulerConfiguration()
        configuration.stepsOffset = 1
        let timesteps = SamplerKind.ddpm.make(configuration, steps: 100).timesteps
        #expect(timesteps.prefix(3) == [991, 981, 971])
        #expect(timesteps.last == 1)
    }
}
