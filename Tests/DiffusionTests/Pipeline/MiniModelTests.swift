import Images
import Diffusion
import Foundation
import Tensors
import Testing

@Suite("Whole folders of SDXL and v-prediction models", .serialized)
struct MiniModelTests {
    /// What diffusers computes for "a red circle and a blue square", seed 5, four steps, guidance 3.
    struct Reference: Sendable, CustomTestStringConvertible {
        var model: String
        var sampler: SamplerKind
        /// For v-prediction ᾱ_t·‖Δv‖².
        var deltaSquared: [Float]
        var latent: [Float]
        var latentNorm: Double
        var side: Int
        var testDescription: String { model }
    }

    @Test(arguments: [
        Reference(
            model: "sd15-mini", sampler: .ddim, deltaSquared: [3.985229, 19.69148, 42.77966, 54.85149],
            latent: [2.1078229, -0.5281380, -1.1256796, -0.5706565], latentNorm: 36.471390, side: 32),
        Reference(
            model: "sdxl-mini", sampler: .euler, deltaSquared: [235.23380, 47.278934, 18.218390, 12.439003],
            latent: [8.6088800, -3.2855411, -11.169337, -5.2143846], latentNorm: 190.79640, side: 64),
    ])
    func generation(reference: Reference) throws {
        let mini = try MiniModel(reference.model)
        let model = try mini.load()
        let prompt = model.encode(prompts: ["a red circle and a blue square"])[0]
        let made = try model.generate(
            GenerationRequest(prompts: [prompt], seeds: [5], steps: 4, guidance: 3, sampler: reference.sampler))[0]
        #expect(made.trace.timesteps == [751, 501, 251, 1])
        #expect(relativeError(made.trace.deltaSquared, reference.deltaSquared) < 1e-3)
        let latent = made.latent.values
        #expect(relativeError(Array(latent.prefix(4)), reference.latent) < 1e-3)
        let norm = latent.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(norm / reference.latentNorm - 1) < 1e-4)
        #expect(made.image.width == reference.side && made.image.height == reference.side)
    }

    @Test func noPromptIsZerosOnSDXL() throws {
        let model = try MiniModel("sdxl-mini").load()
        #expect(model.emptyPrompt.tokens.values.allSatisfy { $0 == 0 })
        #expect(model.emptyPrompt.pooled?.values.allSatisfy { $0 == 0 } == true)
        #expect(model.encode(prompts: [""])[0].tokens.values.contains { $0 != 0 })
    }

    @Test(arguments: [MiniModel.Storage.sharded, .float16, .bfloat16])
    func otherStorage(storage: MiniModel.Storage) throws {
        func embedding(_ storage: MiniModel.Storage) throws -> Tensor {
            let mini = try MiniModel("sd15-mini", storage: storage)
            return try mini.load().encode(prompts: ["three green stars"])[0].tokens
        }
        let error = relativeError(try embedding(storage), try embedding(.float32))
        switch storage {
        case .float32, .sharded: #expect(error == 0)
        case .float16: #expect(error > 0 && error < 2e-3)
        case .bfloat16: #expect(error > 0 && error < 3e-2)
        }
    }

    @Test func aMissingShardIsNamed() throws {
        let mini = try MiniModel("sd15-mini", storage: .sharded)
        defer { withExtendedLifetime(mini) {} }
        let shard = "diffusion_pytorch_model-00002-of-00002.safetensors"
        try FileManager.default.removeItem(at: mini.folder.appending(path: "unet/\(shard)"))
        let error = #expect(throws: ModelError.self) { try mini.load() }
        #expect(error?.code == .missingFile && error?.path.hasSuffix(shard) == true)
    }

    @Test func aTextEncoderThatTheUNetDoesNotFitIsRefused() throws {
        let (mini, other) = (try MiniModel("sd15-mini"), try MiniModel("sdxl-mini"))
        defer { withExtendedLifetime(other) {} }
        let place = mini.folder.appending(path: "text_encoder")
        try FileManager.default.removeItem(at: place)
        try FileManager.default.copyItem(at: other.folder.appending(path: "text_encoder"), to: place)
        let error = #expect(throws: ModelError.self) { try mini.load() }
        #expect(error?.message.contains("cross_attention_dim") == true)
    }

    @Test func adaptersFoldIntoLinearWeights() throws {
        struct Doubling: WeightFolding {
            func fold(_ weight: Tensor, at path: String, of component: ModelComponent) -> Tensor {
                component == .unet && path.hasSuffix("attn1.to_q") ? weight * 2 : weight
            }
        }
        let mini = try MiniModel("sd15-mini")
        let plain = try mini.load()
        let folded = try mini.load(adapter: Doubling())
        #expect(plain.digest == folded.digest)
        for (path, layer) in plain.unet.linears {
            let factor: Float = path.hasSuffix("attn1.to_q") ? 2 : 1
            #expect(folded.unet.linears[path]?.weight.values == layer.weight.values.map { $0 * factor }, "\(path)")
        }
    }

    @Test func generationStopsWhenProgressThrows() throws {
        let mini = try MiniModel("sd15-mini")
        let model = try mini.load()
        var shares: [Double] = []
        let error = #expect(throws: ModelError.self) {
            try model.generate(
                GenerationRequest(prompts: [model.emptyPrompt], seeds: [1], steps: 5, guidance: 3, sampler: .ddim)
            ) { (done) throws(ModelError) in
                shares.append(done)
                if done >= 0.4 { throw ModelError(.cancelled, at: "", "stopped") }
            }
        }
        #expect(error?.code == .cancelled)
        #expect(shares == [0.2, 0.4])
    }
}
