import Diffusion
import Foundation
import Images
import Tensors
import TestSupport
import Testing

/// Networks whose products are in bfloat16, against diffusers and transformers in float32: what rounding may cost, and that
/// it was done.
@Suite("Forward passes in bfloat16")
struct PrecisionTests {
    /// Two factors of a product are off by 2⁻⁹ at most each; the depth of a network adds to it.
    private static let tolerance = 2e-2
    private static let least = 1e-4

    private func check(_ got: Tensor, _ expected: Tensor, _ what: Comment) {
        let error = relativeError(got, expected)
        #expect(error < Self.tolerance && error > Self.least, what)
    }

    @Test(arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"])
    func unet(model: String) throws {
        let (out, expected) = try forward(model, .bfloat16, .cpu)
        check(out, expected, "\(model)")
    }

    /// float16 has three more binary digits than bfloat16.
    @Test(
        .enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"),
        arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"])
    func unetOnADevice(model: String) throws {
        let device = TestDevices.torch ?? .cpu
        func error(_ precision: Precision) throws -> Double {
            let (out, expected) = try forward(model, precision, device)
            return relativeError(out, expected)
        }
        let (half, brain) = (try error(.float16), try error(.bfloat16))
        #expect(brain < Self.tolerance && brain > 1e-3, "\(brain)")
        #expect(half < Self.tolerance / 4 && half > Self.least, "\(half)")
        #expect(half < brain / 4, "\(half) against \(brain)")
    }

    private func forward(
        _ model: String, _ precision: Precision, _ device: Device
    ) throws -> (out: Tensor, expected: Tensor) {
        let golden = try Goldens.file(model)
        let unet = try UNet2DConditionModel(
            Weights(tensors: Goldens.tensors(model, "unet"), precision: precision, device: device),
            Goldens.configuration(UNetConfiguration.self, model, "unet"))
        let text = try golden.tensor("unet.context")
        let timesteps = try golden.integers("unet.timestep").map(Float.init)
        var added: AddedConditions?
        if model == "sdxl-mini" {
            let ids = try golden.tensor("time_ids").values
            added = AddedConditions(
                pooled: try golden.tensor("text2.text_embeds"), timeIDs: [Array(ids[..<6]), Array(ids[6...])])
        }
        let out = unet(try golden.tensor("unet.sample").channelsLast, timesteps: timesteps, text: text, added: added)
        return (out.channelsFirst, try golden.tensor("unet.out"))
    }

    @Test(arguments: ["sd21-mini", "sdxl-mini"])
    func textEncoderAndAutoencoder(model: String) throws {
        let golden = try Goldens.file(model)
        let flat = try golden.integers("input_ids")
        let encoder = try CLIPTextEncoder(
            Weights(tensors: Goldens.tensors(model, "text_encoder"), precision: .bfloat16),
            Goldens.configuration(CLIPTextConfiguration.self, model, "text_encoder"))
        let states = encoder([Array(flat[..<24]), Array(flat[24...])]).lastHiddenState
        check(states, try golden.tensor("text.last_hidden_state"), "text")
        let vae = try AutoencoderKL(
            Weights(tensors: Goldens.tensors(model, "vae"), precision: .bfloat16),
            Goldens.configuration(VAEConfiguration.self, model, "vae"))
        let decoded = vae.decode(try golden.tensor("vae.latent").channelsLast)
        check(decoded.channelsFirst, try golden.tensor("vae.decoded"), "decoder")
        let moments = vae.moments(try golden.tensor("vae.image").channelsLast)
        check(moments.channelsFirst, try golden.tensor("vae.moments"), "encoder")
    }

    /// Latents of SDXL's size overflow float16 on their way to pixels, so they never enter it.
    @Test(.enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"))
    func theAutoencoderStaysInFloat32WithFloat16() throws {
        let device = TestDevices.torch ?? .cpu
        let plain = try DiffusionModel.load(from: Goldens.tinySD, device: device)
        let half = try DiffusionModel.load(from: Goldens.tinySD, precision: .float16, device: device)
        #expect(half.recordedPrecision == "float16" && half.unet.placement.dtype == .float16)
        let latents = CounterGenerator(seed: 5, stream: 0).normal([2] + plain.latentShape).channelsLast
        let images = plain.decode(latents)
        #expect(half.decode(latents).map(\.pixels) == images.map(\.pixels))
        #expect(half.encode(images: images).values == plain.encode(images: images).values)
    }

    /// A whole generation of diffusers in float32: the trace's terms, the best candidate, and what one sees.
    @Test(arguments: [0, 1, 2])
    func generation(index: Int) throws {
        let (score, trace, pixels) = try deviation(of: index, .bfloat16, .cpu)
        #expect(score < 5e-2 && trace < 0.1, "\(score), \(trace)")
        #expect(pixels < 4, "\(pixels) of 255 on average")
    }

    @Test(.enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"))
    func generationInFloat16() throws {
        let (score, trace, pixels) = try deviation(of: 0, .float16, TestDevices.torch ?? .cpu)
        #expect(score < 2e-2 && trace < 3e-2, "\(score), \(trace)")
        #expect(pixels < 1, "\(pixels) of 255 on average")
    }

    /// - Returns: the relative errors of scores and traces, and the mean difference of pixel values of 255.
    private func deviation(
        of index: Int, _ precision: Precision, _ device: Device
    ) throws -> (scores: Double, traces: Double, pixels: Float) {
        struct Settings: Decodable {
            var prompt: String
            var seeds: [UInt64]
            var steps: Int
            var guidance: Float
            var sampler: String
        }
        let golden = try Goldens.file("tiny-generate-\(index)")
        let settings = try JSONDecoder().decode(
            Settings.self, from: Data(contentsOf: Goldens.folder.appending(path: "tiny-generate-\(index).json")))
        let model = try DiffusionModel.load(from: Goldens.tinySD, precision: precision, device: device)
        #expect(model.recordedPrecision == precision.rawValue)
        let prompt = model.encode(prompts: [settings.prompt])[0]
        let made = try model.generate(
            GenerationRequest(
                prompts: settings.seeds.map { _ in prompt }, seeds: settings.seeds, steps: settings.steps,
                guidance: settings.guidance, sampler: settings.sampler == "DDPMScheduler" ? .ddpm : .ddim))
        #expect(made.count { $0.isFinite } == settings.seeds.count)
        let estimator = MeanKappaEstimator(kappa: .reference)
        let scores = made.map { Float(estimator.estimate($0.trace, schedule: model.schedule).value) }
        let expected = try golden.tensor("mi").values
        #expect(scores.firstIndex(of: scores.max() ?? 0) == expected.firstIndex(of: expected.max() ?? 0))
        let pixels = made.flatMap(\.image.pixels).map(Float.init)
        let images = try golden.integers("images").map(Float.init)
        let mean = zip(pixels, images).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(images.count)
        let traces = relativeError(made.flatMap(\.trace.deltaSquared), try golden.tensor("delta_sq").values)
        return (relativeError(scores, expected), traces, mean)
    }

    /// Sixteen-bit weights cost sixteen bits.
    @Test func aRoundedCheckpointLosesNothing() throws {
        let mini = try MiniModel("sd21-mini", storage: .bfloat16)
        let model = try DiffusionModel.load(from: mini.folder, precision: .bfloat16)
        let path = try #require(model.unet.linears.keys.min())
        let plain = try DiffusionModel.load(from: mini.folder)
        #expect(model.unet.linears[path]?.weight.values == plain.unet.linears[path]?.weight.values)
        #expect(model.unet.linears[path]?.prepared.precision == .bfloat16)
    }
}
