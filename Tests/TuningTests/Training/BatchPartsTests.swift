import Diffusion
import Tensors
import Testing
import Tuning

/// A microbatch that is computed in parts against the same microbatch in one piece.
@Suite struct BatchPartsTests {
    @Test(arguments: [1, 2, 5], [false, true]) func partsAddUpToTheBatch(samples: Int, weighted: Bool) throws {
        let model = try TinyModel.load()
        let adapter = try Adapter(
            initializing: .dora, rank: 4, alpha: 4, targets: .attentionAndFeedForward, for: model.unet.linears, seed: 1)
        // B is zero at first, and with it the gradient of A.
        let parameters = adapter.parameters.enumerated().map { index, parameter in
            Tensor.parameter(
                parameter.value + randomTensor(parameter.value.shape, seed: UInt64(index), scale: 0.01))
        }
        let adapters = adapter.replacing(parameters).bound(to: model.unet.linears)
        let prompts = model.encode(prompts: ["a red circle", "three green stars"])
        let batch = TrainingBatch(
            latents: randomTensor([samples, 16, 16, 4], seed: 100),
            noise: randomTensor([samples, 16, 16, 4], seed: 101),
            timesteps: (0..<samples).map { 37 + 190 * $0 },
            text: PromptEmbedding.batch((0..<samples).map { prompts[$0 % 2] }),
            weights: weighted ? (0..<samples).map { 0.5 + Float($0) } : nil)
        let objective = DenoisingObjective(NoisingProcess(model.scheduler))
        let policies = Policies(current: Network(model.unet, adapters: adapters))

        let found = objective.lossAndGradients(batch, policies, parameters: parameters, share: 0.5)
        let whole = objective(batch, policies)
        #expect(abs(found.loss - 0.5 * Double(whole.scalar)) < 1e-6 * Double(whole.scalar))
        for (part, expected) in zip(found.gradients, gradients(of: whole * 0.5, for: parameters)) {
            #expect(relativeError(part.values, expected.values) < 1e-4)
        }

        let again = objective.lossAndGradients(batch, policies, parameters: parameters, share: 0.5)
        #expect(again.loss == found.loss)
        #expect(zip(again.gradients, found.gradients).allSatisfy { $0.values == $1.values })
    }

    @Test func promptsThatSamplesShareAreComputedOnce() throws {
        let model = try TinyModel.load()
        let adapter = try Adapter(
            initializing: .dora, rank: 4, alpha: 4, targets: .attentionAndFeedForward, for: model.unet.linears, seed: 1)
        let parameters = adapter.parameters.enumerated().map { index, parameter in
            Tensor.parameter(
                parameter.value + randomTensor(parameter.value.shape, seed: UInt64(index), scale: 0.01))
        }
        let adapters = adapter.replacing(parameters).bound(to: model.unet.linears)
        let texts = model.encode(prompts: ["a red circle", "three green stars", "a circle above a diamond"])
        let prompts = [2, 0, 2, 1, 0, 2]
        func batch(text: [PromptEmbedding], prompts: [Int]?) -> TrainingBatch {
            TrainingBatch(
                latents: randomTensor([6, 16, 16, 4], seed: 100), noise: randomTensor([6, 16, 16, 4], seed: 101),
                timesteps: (0..<6).map { 37 + 150 * $0 }, text: PromptEmbedding.batch(text), prompts: prompts)
        }
        let shared = batch(text: texts, prompts: prompts)
        #expect(shared.parts.map(\.prompts) == [[0, 0, 1], [0, 0, 0]])
        #expect(shared.parts.map { $0.text.shape[0] } == [2, 1])

        let objective = DenoisingObjective(NoisingProcess(model.scheduler))
        let policies = Policies(current: Network(model.unet, adapters: adapters))
        let found = objective.lossAndGradients(shared, policies, parameters: parameters)
        let apart = objective(batch(text: prompts.map { texts[$0] }, prompts: nil), policies)
        #expect(abs(found.loss - Double(apart.scalar)) < 1e-6 * found.loss)
        for (gradient, expected) in zip(found.gradients, gradients(of: apart, for: parameters)) {
            #expect(relativeError(gradient.values, expected.values) < 1e-4)
        }
    }
}
