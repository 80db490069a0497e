import Diffusion
package import Tensor

extension Adapter: WeightFolding {
    /// W' = m/‖W + sBA‖·(W + sBA) for DoRA, W + sBA for LoRA; other layers stay as they are.
    ///
    /// Folding happens once at load, where the weight is copied anyway.
    package func fold(path: String, weight: Tensor) -> Tensor {
        guard let layer = layers[path] else { return weight }
        return foldedWeight(weight, down: layer.down, up: layer.up, magnitude: layer.magnitude, scale: scale)
    }
}
