/// Why an adapter cannot be read or does not fit a model.
package enum AdapterError: Error, CustomStringConvertible, Sendable {
    /// The file is not readable as safetensors, or its metadata is not what an adapter has.
    case unreadable(file: String, reason: String)
    /// A tensor's name is not one that an adapter file has.
    case unknownKey(String, file: String)
    /// A layer lacks one of its tensors.
    case incompleteLayer(path: String, missing: String, file: String)
    /// The model has no linear layer of that name.
    case noSuchLayer(path: String)
    /// A tensor does not fit the layer it is for.
    case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
    /// The model has no layer that the targets name.
    case nothingToAdapt(targets: String)
    /// The adapter file could not be written.
    case notWritten(file: String, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "cannot read adapter \(file): \(reason); give a pytorch_lora_weights.safetensors file"
        case .unknownKey(let key, let file):
            "adapter \(file): tensor '\(key)' is not a LoRA or DoRA tensor of a UNet; save it again with diffusers"
        case .incompleteLayer(let path, let missing, let file):
            "adapter \(file): layer \(path) has no \(missing); the file is incomplete, copy it again"
        case .noSuchLayer(let path):
            "adapter layer \(path) does not exist in this model; use the model that the adapter was trained on"
        case .wrongShape(let path, let tensor, let found, let expected):
            "adapter layer \(path): \(tensor) is \(found), this model needs \(expected); "
                + "use the model that the adapter was trained on"
        case .nothingToAdapt(let targets):
            "the model has no layer that the targets '\(targets)' name; choose other --targets"
        case .notWritten(let file, let reason):
            "cannot write adapter \(file): \(reason)"
        }
    }
}
