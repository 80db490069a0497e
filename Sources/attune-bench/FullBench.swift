import ArgumentParser
import Diffusion
import Foundation
import Tensors

/// A whole model as Benchmarks/peers/full.py wrote it: text, generation and VAE beside what diffusers computed.
struct FullBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full", abstract: "Compare a whole model with diffusers, and time the VAE's decoding.")

    @Argument(help: "The model's folder, with full-io.safetensors and full.json.") var folder: String
    @Option(help: "Runs of the VAE to take the median of.") var runs = 1
    @Flag(help: "No more than the VAE.") var vaeOnly = false
    @Option(help: "What products are computed in: float32 or bfloat16.") var precision = Precision.float32

    private struct Settings: Decodable {
        var prompt: String
        var seed: UInt64
        var steps: Int
        var guidance: Float
    }

    func run() throws {
        let root = URL(fileURLWithPath: folder)
        let io = try SafetensorsFile(root.appendingPathComponent("full-io.safetensors"))
        guard !vaeOnly else {
            return try vae(AutoencoderKL(folder: root.appendingPathComponent("vae"), precision: precision), io)
        }
        let settings = try JSONDecoder().decode(
            Settings.self, from: Data(contentsOf: root.appendingPathComponent("full.json")))
        let model = try DiffusionModel.load(from: root, precision: precision)
        let prompt = model.encode(prompts: [settings.prompt])[0]
        try compare("prompt embedding", prompt.tokens, io.tensor("tokens"))
        if let pooled = prompt.pooled { try compare("pooled embedding", pooled, io.tensor("pooled")) }
        let made = try model.generate(
            GenerationRequest(
                prompts: [prompt], seeds: [settings.seed], steps: settings.steps, guidance: settings.guidance,
                sampler: .ddim))
        try compare("latent of \(settings.steps) guided steps", made[0].latent, io.tensor("latent"))
        try vae(model.vae, io)
    }

    private func compare(_ what: String, _ found: Tensor, _ expected: Tensor) throws {
        let error = relativeError(found.reshaped(expected.shape), expected)
        try Measurement(what, [], relativeError: error).print()
    }

    private func vae(_ vae: AutoencoderKL, _ io: SafetensorsFile) throws {
        for side in [512, 1024] where io.names.contains("latents-\(side)") {
            let latents = try io.tensor("latents-\(side)").channelsLast
            let expected = try io.tensor("pixels-\(side)").channelsLast
            var pixels = expected
            let times = times(runs) { pixels = vae.decode(latents) }
            try Measurement("vae decode \(side)", times, relativeError: relativeError(pixels, expected)).print()
            guard io.names.contains("image-\(side)") else { continue }
            try compare(
                "vae encode \(side)", vae.moments(io.tensor("image-\(side)").channelsLast),
                io.tensor("moments-\(side)").channelsLast)
        }
    }
}
