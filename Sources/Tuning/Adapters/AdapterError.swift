import Diffusion

/// Why an adapter cannot be read or does not fit a model.
package enum AdapterError: Error, CustomStringConvertible, Sendable {
    /// The file is not readable as safetensors, or its metadata is not what an adapter has.
    case unreadable(file: String, reason: String)
    /// A tensor's name is not one that an adapter file has; the reason continues the sentence "tensor '…' ".
    case unknownKey(String, file: String, reason: String)
    /// A layer lacks one of its tensors.
    case incompleteLayer(path: String, missing: String, file: String)
    /// The model has no linear layer or convolution of that name.
    case noSuchLayer(path: String, file: String? = nil)
    /// The model lacks a whole network that the file is for.
    case noSuchNetwork(String, file: String)
    /// The file can be applied to a model, but not trained on.
    case notTrainable(file: String, reason: String)
    /// A tensor does not fit the layer it is for.
    case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
    /// The model has no layer that the targets name.
    case nothingToAdapt(targets: String)
    /// The adapter file could not be written.
    case notWritten(file: String, reason: String)

    package var description: String { oneLine(text) }

    private var text: String {
        switch self {
        case .unreadable(let file, let reason):
            "cannot read adapter \(file): \(reason)"
        case .unknownKey(let key, let file, let reason):
            "adapter \(file): tensor '\(key)' \(reason)"
        case .incompleteLayer(let path, let missing, let file):
            "adapter \(file): layer \(path) has no \(missing); the file is incomplete, copy it again"
        case .noSuchLayer(let path, let file):
            (file.map { "adapter \($0): " } ?? "adapter ")
                + "layer \(path) does not exist in this model; the adapter was made for a model with other blocks"
        case .noSuchNetwork(let network, let file):
            "adapter \(file): it changes \(network), which this model does not have; give a model of the kind that it was "
                + "made for, such as SDXL"
        case .notTrainable(let file, let reason):
            "\(file): \(reason), which training leaves alone; use it with sample and generate --adapter, or begin with a "
                + "file of the UNet's linear layers alone"
        case .wrongShape(let path, let tensor, let found, let expected):
            "adapter layer \(path): \(tensor) is \(found), this model needs \(expected); "
                + "give a model of the kind that the adapter was made for"
        case .nothingToAdapt(let targets):
            "the model has no layer that the targets '\(targets)' name; choose other --targets"
        case .notWritten(let file, let reason):
            "cannot write adapter \(file): \(reason)"
        }
    }
}
