package import Foundation
package import Tensors

/// The UNet of a model folder as tensors by checkpoint key, for training all of them.
package enum UNetTensors {
    /// Where the weights of a model folder lie below it, under the name that diffusers writes.
    package static let file = "unet/diffusion_pytorch_model.safetensors"

    /// Copies of the stored values as float32: the file may be replaced while they are in use.
    ///
    /// - Parameters:
    ///   - model: the model's folder, in diffusers' layout.
    ///   - variant: which copy of the weights, as for
    ///     `DiffusionModel.load`.
    /// - Throws: ``ModelError`` where a file is missing, damaged, or holds values that are not finite.
    package static func read(model: URL, variant: String? = nil) throws(ModelError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for url in try WeightFiles(model.appendingPathComponent("unet"), .unet).chosen(variant) {
            let file = try SafetensorsFile(url)
            for name in file.names {
                let stored = try file.weight(name)
                tensors[name] = Tensor(shape: stored.shape) { out in
                    stored.withValues { values in _ = out.initialize(from: values) }
                }
            }
        }
        return tensors
    }
}
