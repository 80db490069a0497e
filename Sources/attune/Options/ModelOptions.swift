import ArgumentParser
import Diffusion
import Foundation
import Tuning

/// Which model makes the images.
struct ModelOptions: ParsableArguments {
    @Option(help: "A model's folder in the diffusers layout.", completion: .directory)
    var model: String

    @OptionGroup var copy: VariantOption

    @Option(
        help: ArgumentHelp(
            "An adapter of UNet and text encoders, folded into the model at load: a file or folder as train, diffusers, PEFT or kohya's scripts save it.",
            valueName: "file"),
        completion: .file(extensions: ["safetensors"]))
    var adapter: String?

    @Flag(
        help:
            "Keep fp16 and bf16 weights in 16 bits and upcast them on use: half the memory; the same bytes out with AVX-512, else the last bits may differ."
    )
    var lowMemory = false

    @OptionGroup var config: IgnoreConfigOptions

    /// The model with the adapter folded in, and the digest of the adapter's file.
    ///
    /// - Parameter use: what its noise schedule is for.
    func load(for use: SchedulerUse) throws -> (model: DiffusionModel, adapter: String?) {
        let folder = URL(fileURLWithPath: model)
        let ignored = config.fields
        guard let adapter else {
            let loaded = try DiffusionModel.load(
                from: folder, for: use, variant: copy.variant, lowMemory: lowMemory, ignoring: ignored)
            return (loaded, nil)
        }
        let file = URL(fileURLWithPath: adapter)
        let folding = AdapterFolding(try AdapterFile.load(file) { try UNetConfiguration.layers(of: folder) })
        let loaded = try DiffusionModel.load(
            from: folder, for: use, variant: copy.variant, adapter: folding, lowMemory: lowMemory, ignoring: ignored)
        // A layer that the model lacks would be left out silently.
        try folding.checkAllMet()
        return (loaded, try AdapterFile.digest(of: file))
    }
}

/// Which copy of a model's weights is read.
struct VariantOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which copy of the weights, as fp16 for model.fp16.safetensors (default: the plain one, or the only one there).",
            valueName: "name"))
    var variant: String?
}

/// Refuses more denoising steps than the model's schedule has.
func requireSteps(_ steps: Int, _ model: DiffusionModel) throws {
    guard steps <= model.scheduler.trainTimesteps else {
        throw ValidationError(
            "--steps is \(steps); the model's schedule has \(model.scheduler.trainTimesteps) timesteps")
    }
}

/// Refuses a schedule that a manifest cannot tell, so that nobody could turn the trace into a score again.
func requireDescribableSchedule(_ model: DiffusionModel) throws {
    guard model.scheduler.trainedBetas != nil else { return }
    throw Failure(
        "\(model.folder.path): trained_betas of its scheduler cannot be recorded with a trace; sample takes the model, "
            + "or leave them out with --ignore-config trained_betas")
}
