package import Diffusion
import Synchronization
package import Tensors

/// Folds an adapter into a model's weights as they are read, and remembers which layers it met.
///
/// Folding happens once at load, where the weight is copied anyway.
package final class AdapterFolding: WeightFolding {
    private let adapter: StoredAdapter
    private let met = Mutex<[ModelComponent: Set<String>]>([:])

    package init(_ adapter: StoredAdapter) { self.adapter = adapter }

    package func fold(
        _ weight: Tensor, at path: String, of component: ModelComponent
    ) throws(ModelError) -> Tensor {
        guard let layer = adapter.layers[component]?[path] else { return weight }
        met.withLock { _ = $0[component, default: []].insert(path) }
        let outputs = weight.shape[0]
        // A 1×1 convolution is a linear layer of pixels: files have its factors either way.
        let kernels = [layer.kernel, Array(weight.shape.dropFirst(2))].map { $0.allSatisfy { $0 == 1 } ? [] : $0 }
        guard kernels[0] == kernels[1], layer.factors.up.shape[0] == outputs,
            layer.factors.down.shape[1] * outputs == weight.count
        else {
            let error = AdapterError.wrongShape(
                path: "\(component.rawValue) \(path)", tensor: "its change",
                found: [layer.factors.up.shape[0], layer.factors.down.shape[1] / max(layer.kernel.reduce(1, *), 1)]
                    + layer.kernel,
                expected: weight.shape)
            throw ModelError(.wrongShape, at: adapter.file, error.description)
        }
        return layer.factors.folded(into: weight, scale: layer.scale)
    }

    /// - Throws: ``AdapterError/noSuchLayer(path:file:)`` for a layer that the model does not have; call it when the model is
    ///   loaded.
    package func checkAllMet() throws(AdapterError) {
        let met = met.withLock { $0 }
        for (component, layers) in adapter.layers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let missing = layers.keys.filter { met[component]?.contains($0) != true }
            guard let first = missing.min() else { continue }
            if missing.count == layers.count, component != .unet, met[.unet] != nil || adapter.layers[.unet] == nil {
                throw .noSuchNetwork(component.rawValue, file: adapter.file)
            }
            throw .noSuchLayer(path: "\(component.rawValue) \(first)", file: adapter.file)
        }
    }
}

extension Adapter: WeightFolding {
    /// Layers of the UNet that the adapter changes get it; others stay as they are.
    package func fold(
        _ weight: Tensor, at path: String, of component: ModelComponent
    ) throws(ModelError) -> Tensor {
        guard component == .unet, let layer = layers[path] else { return weight }
        guard layer.up.shape[0] == weight.shape[0], layer.down.shape[1] * weight.shape[0] == weight.count else {
            throw ModelError(.wrongShape, at: path, "the adapter does not fit the weight \(weight.shape)")
        }
        return layer.folded(into: weight, scale: scale)
    }
}

extension AdapterLayer {
    /// See ``foldedWeight(_:down:up:magnitude:scale:)``.
    fileprivate func folded(into weight: Tensor, scale: Float) -> Tensor {
        foldedWeight(weight, down: down, up: up, magnitude: magnitude, scale: scale)
    }
}
