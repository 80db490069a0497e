import ArgumentParser
import Diffusion
import Foundation
import Tuning

/// Which model makes the images.
struct ModelOptions: ParsableArguments {
    @Option(help: "A model's folder in the diffusers layout.", completion: .directory)
    var model: String

    @Option(
        help: ArgumentHelp(
            "An adapter, folded into the model at load: a file or folder as train, diffusers, PEFT or kohya's scripts save it.",
            valueName: "file"),
        completion: .file(extensions: ["safetensors"]))
    var adapter: String?

    @Flag(
        help: "Keep weights stored in 16 bits so, and widen them as they are used: half the memory, the same results.")
    var lowMemory = false

    /// The model with the adapter folded in, and the digest of the adapter's file.
    func load() throws -> (model: DiffusionModel, adapter: String?) {
        let folder = URL(fileURLWithPath: model)
        guard let adapter else { return (try DiffusionModel.load(from: folder, lowMemory: lowMemory), nil) }
        let file = URL(fileURLWithPath: adapter)
        let folded = try AdapterFile.read(file)
        let loaded = try DiffusionModel.load(from: folder, adapter: folded, lowMemory: lowMemory)
        // A layer that the model lacks would be left out in silence.
        try folded.validate(against: loaded.unet.linears)
        return (loaded, try AdapterFile.digest(of: file))
    }
}

/// Refuses more denoising steps than the model's schedule has.
func requireSteps(_ steps: Int, _ model: DiffusionModel) throws {
    guard steps <= model.scheduler.trainTimesteps else {
        throw ValidationError(
            "--steps is \(steps); the model's schedule has \(model.scheduler.trainTimesteps) timesteps")
    }
}

extension SamplerKind: ExpressibleByArgument {}
