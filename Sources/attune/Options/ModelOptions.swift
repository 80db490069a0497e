import ArgumentParser
import Diffusion

/// Which model makes the images.
struct ModelOptions: ParsableArguments {
    @Option(help: "A model's folder in the diffusers layout.", completion: .directory)
    var model: String

    @Option(
        help: ArgumentHelp("An adapter, folded into the model at load.", valueName: "file"),
        completion: .file(extensions: ["safetensors"]))
    var adapter: String?
}

extension SamplerKind: ExpressibleByArgument {}

/// Refuses what is not a count.
func requirePositive(_ value: Int, _ option: String) throws {
    if value < 1 { throw ValidationError("\(option) is \(value); it must be at least 1") }
}
