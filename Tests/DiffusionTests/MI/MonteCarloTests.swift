import Diffusion
import Foundation
import Tensors
import Testing

@Suite("Monte-Carlo traces of tiny-sd", .serialized)
struct MonteCarloTests {
    private let timesteps = [901, 701, 501, 301]

    private func generated(_ model: DiffusionModel, _ prompt: PromptEmbedding) throws -> Tensor {
        try model.generate(
            GenerationRequest(prompts: [prompt], seeds: [100], steps: 20, guidance: 5, sampler: .ddim))[0].latent
    }

    @Test func theMeanTraceIsTheMeanOfTheDraws() throws {
        let model = try DiffusionModel.load(from: Goldens.tinySD)
        let prompt = model.encode(prompts: ["a red circle and a blue square"])[0]
        let latent = try generated(model, prompt)
        let trace = try model.monteCarloTrace(
            latent: latent, prompt: prompt, timesteps: timesteps, draws: 3, seed: 7)
        #expect(trace.mean.timesteps == timesteps)
        #expect(trace.draws.count == 3)
        #expect(trace.mean.deltaSquared.allSatisfy { $0.isFinite && $0 > 0 })
        for step in timesteps.indices {
            let mean = trace.draws.reduce(Float(0)) { $0 + $1.deltaSquared[step] } / 3
            #expect(abs(mean - trace.mean.deltaSquared[step]) <= 1e-5 * mean)
        }
    }

    @Test func drawsDependOnSeedAndIndexOnly() throws {
        let model = try DiffusionModel.load(from: Goldens.tinySD)
        let prompt = model.encode(prompts: ["three green stars"])[0]
        let latent = try generated(model, prompt)
        func draws(_ count: Int, seed: UInt64) throws -> [MITrace] {
            try model.monteCarloTrace(
                latent: latent, prompt: prompt, timesteps: [701, 301], draws: count, seed: seed
            ).draws
        }
        let two = try draws(2, seed: 1)
        #expect(try draws(2, seed: 1) == two)
        #expect(try draws(2, seed: 2) != two)
        #expect(relativeError(try draws(1, seed: 1)[0].deltaSquared, two[0].deltaSquared) < 1e-4)
    }

    @Test func theEmptyPromptSaysNothing() throws {
        let model = try DiffusionModel.load(from: Goldens.tinySD)
        let latent = try generated(model, model.encode(prompts: ["three green stars"])[0])
        let trace = try model.monteCarloTrace(
            latent: latent, prompt: model.emptyPrompt, timesteps: timesteps, draws: 2, seed: 3)
        #expect(trace.mean.deltaSquared.allSatisfy { $0 < 1e-6 })
    }
}
