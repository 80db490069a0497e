import ArgumentParser
import Diffusion
import Foundation
import Tensors
import Tuning

/// What peers/all_weights.py does: steps of training every weight of a UNet.
struct AllWeightsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all-weights", abstract: "Training every weight of a model, as train --targets all does it.")

    @Argument(help: "The model's folder.") var model: String
    @Option var batch = 64
    @Option(help: "Steps that are timed, after two that are not.") var steps = 12

    func run() throws {
        let model = try DiffusionModel.load(from: URL(fileURLWithPath: model))
        let objective = DenoisingObjective(NoisingProcess(model.scheduler))
        let latent = model.latentShape
        let shape = [batch, latent[1], latent[2], latent[0]]
        let text = PromptEmbedding.batch(model.encode(prompts: (0..<batch).map { "a red circle and \($0) stars" }))
        var weights = TrainedWeights.unet(UNetWeights(try UNetTensors.read(model: model.folder, variant: nil)))
        let builder = NetworkBuilder(model.unet, for: weights)
        var optimizer = AdamW(settings: .init(), shapes: weights.parameters.map(\.value.shape))
        var times: [Double] = []
        let clock = ContinuousClock()
        for step in 0..<steps + 2 {
            let draws = CounterGenerator(seed: 7, stream: UInt64(step))
            let begin = clock.now
            let parameters = weights.parameters.map { Tensor.parameter($0.value) }
            let found = objective.lossAndGradients(
                TrainingBatch(
                    latents: draws.normal(shape), noise: draws.normal(shape),
                    timesteps: (0..<batch).map { ($0 * 997 + step * 389) % 1000 }, text: text,
                    prompts: Array(0..<batch)),
                Policies(current: try builder.network(weights.replacing(parameters))), parameters: parameters
            ).gradients
            weights = weights.replacing(
                optimizer.update(
                    parameters.map(\.detached), gradients: found, clip: clipFactor(norm: globalNorm(found), limit: 1)))
            if step > 1 { times.append((clock.now - begin) / .seconds(1)) }
        }
        var measurement = Measurement("steps of all weights", times)
        (measurement.count, measurement.perSecond) = (batch, 1 / measurement.seconds)
        try measurement.print()
    }
}
