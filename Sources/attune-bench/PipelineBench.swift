import ArgumentParser
import Diffusion
import Foundation
import Tensors
import Tuning

/// What pipeline_peer.py does: generation with MI traces, then DoRA steps.
struct PipelineBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline", abstract: "Generation with MI, then DoRA steps, on a small model.")

    @Argument(help: "The model's folder.") var model: String
    @Option var candidates = 16
    @Option var steps = 50
    @Option var trainSteps = 20
    @Option var batch = 8
    @Option var runs = 1
    @Option(help: "What products are computed in: float32 or bfloat16.") var precision = Precision.float32

    static let prompts = [
        "a red circle and a blue square", "three green stars", "a circle above a diamond",
        "an orange cross and a pink star",
    ]

    func run() throws {
        let model = try DiffusionModel.load(from: URL(fileURLWithPath: model), precision: precision)
        if candidates > 0 { try generate(model) }
        if trainSteps > 0 { try train(model) }
    }

    private func generate(_ model: DiffusionModel) throws {
        let clock = ContinuousClock()
        var times: [Double] = []
        for _ in 0..<runs {
            let begin = clock.now
            for prompt in model.encode(prompts: Self.prompts) {
                _ = try model.generate(
                    GenerationRequest(
                        prompts: Array(repeating: prompt, count: candidates),
                        seeds: (0..<UInt64(candidates)).map { 42 + $0 }, steps: steps, guidance: 5, sampler: .ddpm))
            }
            times.append((clock.now - begin) / .seconds(1))
        }
        try Measurement("generate with MI\(precision.suffix)", times).print()
    }

    private func train(_ model: DiffusionModel) throws {
        let objective = DenoisingObjective(NoisingProcess(model.scheduler))
        let latent = model.latentShape
        let shape = [batch, latent[1], latent[2], latent[0]]
        let prompts = model.encode(prompts: Self.prompts)
        let text = PromptEmbedding.batch(prompts)
        var times: [Double] = []
        let clock = ContinuousClock()
        for run in 0..<runs {
            var adapter = try Adapter(
                initializing: .dora, rank: 32, alpha: 32, targets: .attentionAndFeedForward, for: model.unet.linears,
                seed: 1)
            var optimizer = AdamW(settings: .init(), shapes: adapter.parameters.map(\.value.shape))
            let begin = clock.now
            let squares = adapter.weightSquares(model.unet.linears)
            for step in 0..<trainSteps {
                let draws = CounterGenerator(seed: 7, stream: UInt64(run * trainSteps + step))
                let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
                let found = objective.lossAndGradients(
                    TrainingBatch(
                        latents: draws.normal(shape), noise: draws.normal(shape),
                        timesteps: (0..<batch).map { ($0 * 997 + step * 389) % 1000 }, text: text,
                        prompts: (0..<batch).map { $0 % prompts.count }),
                    Policies(
                        current: Network(
                            model.unet,
                            adapters: adapter.replacing(parameters).bound(
                                to: model.unet.linears, weightSquares: squares))), parameters: parameters
                ).gradients
                adapter = adapter.replacing(
                    optimizer.update(
                        parameters.map(\.detached), gradients: found,
                        clip: clipFactor(norm: globalNorm(found), limit: 1)))
            }
            times.append((clock.now - begin) / .seconds(1))
        }
        try Measurement("DoRA steps\(precision.suffix)", times).print()
    }
}
