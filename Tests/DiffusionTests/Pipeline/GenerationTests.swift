import Images
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Whole generations with tiny-sd against diffusers", .serialized)
struct GenerationTests {
    private struct Settings: Decodable {
        var prompt: String
        var seeds: [UInt64]
        var steps: Int
        var guidance: Float
        var sampler: String
    }

    @Test(arguments: [0, 1, 2], TestDevices.all)
    func generation(index: Int, device: Device) throws {
        let golden = try Goldens.file("tiny-generate-\(index)")
        let settings = try JSONDecoder().decode(
            Settings.self, from: Data(contentsOf: Goldens.folder.appending(path: "tiny-generate-\(index).json")))
        let model = try DiffusionModel.load(from: Goldens.tinySD, device: device)
        let prompt = model.encode(prompts: [settings.prompt])[0]
        #expect(relativeError(prompt.tokens, try golden.tensor("prompt_embeds")) < 1e-4)
        let tokenizer = try CLIPTokenizer(folder: Goldens.tinySD.appending(path: "tokenizer"))
        #expect(tokenizer.encode(settings.prompt).ids == (try golden.integers("ids")))

        let made = try model.generate(
            GenerationRequest(
                prompts: Array(repeating: prompt, count: settings.seeds.count), seeds: settings.seeds,
                steps: settings.steps, guidance: settings.guidance,
                sampler: settings.sampler == "DDPMScheduler" ? .ddpm : .ddim))

        #expect(made[0].trace.timesteps == (try golden.integers("timesteps")))
        let delta = try golden.tensor("delta_sq").values
        #expect(relativeError(made.flatMap(\.trace.deltaSquared), delta) < 1e-3)

        let schedule = model.schedule
        let timesteps = made[0].trace.timesteps
        #expect(
            relativeError(timesteps.map { Kappa.reference.weight($0, schedule) }, try golden.tensor("kappa").values)
                < 1e-5)
        #expect(
            relativeError(timesteps.map { Kappa.paper.weight($0, schedule) }, try golden.tensor("kappa_paper").values)
                < 1e-5)
        let estimator = MeanKappaEstimator(kappa: .reference)
        let scores = made.map { Float(estimator.estimate($0.trace, schedule: schedule).value) }
        let expected = try golden.tensor("mi").values
        #expect(relativeError(scores, expected) < 1e-3)
        #expect(scores.firstIndex(of: scores.max() ?? 0) == expected.firstIndex(of: expected.max() ?? 0))

        let pixels = made.flatMap(\.image.pixels).map(Int.init)
        let images = try golden.integers("images")
        #expect(pixels.count == images.count)
        let close = zip(pixels, images).count { abs($0 - $1) <= 1 }
        #expect(Double(close) >= 0.999 * Double(images.count), "\(images.count - close) values differ")
    }

    @Test func batchSizeChangesNothingThatMatters() throws {
        let model = try DiffusionModel.load(from: Goldens.tinySD)
        let prompt = model.encode(prompts: ["three green stars"])[0]
        func made(_ seeds: [UInt64]) throws -> [Generation] {
            try model.generate(
                GenerationRequest(
                    prompts: seeds.map { _ in prompt }, seeds: seeds, steps: 5, guidance: 5, sampler: .ddpm))
        }
        let together = try made([1, 2, 3])
        for (index, seed) in [UInt64(1), 2, 3].enumerated() {
            let alone = try made([seed])[0]
            #expect(relativeError(alone.latent, together[index].latent) < 1e-4)
        }
        let again = try made([1, 2, 3])
        #expect(again.map(\.latent.values) == together.map(\.latent.values))
    }

    /// The checkpoint is in float16, so that nothing is lost by keeping it so.
    @Test func lowMemoryChangesNothing() throws {
        func made(lowMemory: Bool) throws -> Generation {
            let model = try DiffusionModel.load(from: Goldens.tinySD, lowMemory: lowMemory)
            return try model.generate(
                GenerationRequest(
                    prompts: model.encode(prompts: ["three green stars"]), seeds: [4], steps: 2, guidance: 5,
                    sampler: .ddim))[0]
        }
        let (plain, narrow) = (try made(lowMemory: false), try made(lowMemory: true))
        guard VectorLevel.hasOwnProducts else {
            // OpenBLAS adds up in another order where a weight comes in slices.
            #expect(relativeError(plain.latent, narrow.latent) < 1e-5)
            return
        }
        #expect(plain.latent.values == narrow.latent.values)
        #expect(plain.image.pixels == narrow.image.pixels)
    }

    @Test(arguments: TestDevices.all) func imagesGoThroughTheAutoencoder(device: Device) throws {
        let model = try DiffusionModel.load(from: Goldens.tinySD, device: device)
        let prompt = model.encode(prompts: ["a red circle and a blue square"])[0]
        let made = try model.generate(
            GenerationRequest(prompts: [prompt], seeds: [100], steps: 20, guidance: 5, sampler: .ddim))[0]
        let back = model.decode(model.encode(images: [made.image]))[0]
        let mean =
            zip(back.pixels, made.image.pixels).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) }
            / Double(back.pixels.count)
        #expect(mean < 6)
    }

    @Test func aMissingFileIsNamed() throws {
        #expect(throws: ModelError.self) { try DiffusionModel.load(from: Goldens.folder) }
    }
}
