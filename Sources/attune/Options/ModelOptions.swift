import ArgumentParser
import Foundation
import Workflows

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

    @OptionGroup var products: PrecisionOption

    @OptionGroup var place: DeviceOptions

    @OptionGroup var config: IgnoreConfigOptions

    /// For a workflow to load.
    var source: ModelSource {
        var source = ModelSource(folder: URL(fileURLWithPath: model))
        source.variant = copy.variant
        source.adapter = adapter.map { URL(fileURLWithPath: $0) }
        source.lowMemory = lowMemory
        (source.precision, source.device) = (products.precision, place.choice)
        source.ignoredFields = config.ignoreConfig
        return source
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
