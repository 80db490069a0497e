import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

/// Training every weight of a UNet against torch.
@Suite struct AllWeightsTests {
    @Test(arguments: TestDevices.all) func threeStepsAreTorchs(device: Device) throws {
        let (file, losses) = (try Goldens.file("all-weights"), try Goldens.file("losses"))
        let base = try Goldens.unet("sd15-mini", on: device)
        var weights = TrainedWeights.unet(UNetWeights(try Goldens.tensors("sd15-mini")))
        let builder = NetworkBuilder(base, for: weights)
        var scheduler = SchedulerConfiguration()
        (scheduler.betaStart, scheduler.betaEnd, scheduler.betaSchedule) = (0.00085, 0.012, "scaled_linear")
        scheduler.predictionType = .velocity
        let objective = DenoisingObjective(NoisingProcess(scheduler))
        let batch = TrainingBatch(
            latents: try losses.tensor("latents").channelsLast, noise: try losses.tensor("noise").channelsLast,
            timesteps: try losses.integers("timesteps"), text: try losses.tensor("text"), prompts: [0, 1, 0])
        var optimizer = AdamW(
            settings: .init(learningRate: 1e-3), shapes: weights.parameters.map(\.value.shape))
        let (expected, norms) = (try file.tensor("losses").values, try file.tensor("grad_norms").values)
        for step in 0..<3 {
            let parameters = weights.parameters.map { Tensor.parameter($0.value) }
            let network = try builder.network(weights.replacing(parameters))
            let found = objective.lossAndGradients(batch, Policies(current: network), parameters: parameters)
            let norm = globalNorm(found.gradients)
            #expect(abs(found.loss - Double(expected[step])) < 1e-3 * Double(expected[step]), "loss of step \(step)")
            #expect(abs(norm - Double(norms[step])) < 1e-3 * Double(norms[step]), "norm of step \(step)")
            if step == 0 {
                #expect(
                    Set(weights.parameters.map { "grad0." + $0.name })
                        == Set(file.names.filter { $0.hasPrefix("grad0") }))
                for (parameter, gradient) in zip(weights.parameters, found.gradients) {
                    let golden = try file.tensor("grad0." + parameter.name).values
                    expectLike(gradient.values, golden, 1e-3, parameter.name, least: 1e-4)
                }
            }
            weights = weights.replacing(
                optimizer.update(
                    parameters.map(\.detached), gradients: found.gradients, clip: clipFactor(norm: norm, limit: 1)))
        }
        for parameter in weights.parameters {
            let golden = try file.tensor("final." + parameter.name).values
            expectLike(parameter.value.values, golden, 2e-3, parameter.name)
        }
    }

    @Test func aRunResumesAndGivesAModel() throws {
        let corpus = try TemporaryFolder()
        func train(_ name: String, stopAfter: Int = .max) throws -> TrainingOutcome {
            var configuration = TrainingConfiguration()
            configuration.targets = .all
            (configuration.steps, configuration.batch, configuration.accumulate) = (3, 2, 1)
            (configuration.checkpointEvery, configuration.averageDecay) = (1, 0.9)
            var made = 0
            return try Trainer(
                model: try TinyModel.load(), source: MemorySource(), configuration: configuration,
                run: RunFolder(corpus: corpus.url, name: name)
            ).train(report: { if case .step = $0 { made += 1 } }, isCancelled: { made >= stopAfter })
        }
        let whole = try #require(try train("whole").made)
        while try !train("pieces", stopAfter: 1).isFinished {}
        let pieces = RunFolder(corpus: corpus.url, name: "pieces")
        let model = try DiffusionModel.load(from: pieces.model)
        #expect(model.digest == whole.digest)
        let base = try TinyModel.load().digest
        #expect(model.digest != base)
        // Beside the moving average lie the last step's weights.
        let raw = try SafetensorsFile(pieces.raw.appending(path: "diffusion_pytorch_model.safetensors"))
        let averaged = try SafetensorsFile(pieces.model.appending(path: UNetTensors.file))
        #expect(raw.names == averaged.names)
        #expect(try raw.tensor("conv_in.weight").values != averaged.tensor("conv_in.weight").values)
        let prompt = model.encode(prompts: ["a red circle"])
        let image = try model.generate(
            GenerationRequest(prompts: prompt, seeds: [1], steps: 2, guidance: 1, sampler: .ddim))
        #expect(image[0].isFinite)
    }
}
