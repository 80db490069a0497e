import ArgumentParser
import Diffusion
import Foundation
import Tensor

/// A whole VAE as vae_peer.py wrote it.
struct VAEBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vae", abstract: "Decoding by a folder written by Benchmarks/peers/vae.py.")

    @Argument(help: "The folder, with vae/ and vae-io.safetensors.") var folder: String
    @Option(help: "Runs to take the median of.") var runs = 3

    func run() throws {
        let root = URL(fileURLWithPath: folder)
        let vae = try AutoencoderKL(folder: root.appendingPathComponent("vae"))
        let file = try SafetensorsFile(root.appendingPathComponent("vae-io.safetensors"))
        let latents = try file.tensor("latents").channelsLast
        let expected = try file.tensor("pixels").channelsLast
        var pixels = expected
        let times = times(runs) { pixels = vae.decode(latents) }
        try Measurement("vae decode", times, relativeError: relativeError(pixels, expected)).print()
    }
}
