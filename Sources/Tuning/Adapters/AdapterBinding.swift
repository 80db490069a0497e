package import Diffusion
package import Tensor

extension Adapter {
    /// ‖W‖² by rows of every adapted layer: computed once per run, since W is frozen. Empty for LoRA.
    package func weightSquares(_ linears: [String: Linear]) -> [String: Tensor] {
        guard kind == .dora else { return [:] }
        return linears.filter { layers[$0.key] != nil }.mapValues { rowSquares($0.weight) }
    }

    /// The adapter as the UNet calls it, for the layers' present values.
    package func bound(
        to linears: [String: Linear], weightSquares: [String: Tensor]
    ) -> [String: any LinearAdapter] {
        let entries = layers.map { (path: $0.key, layer: $0.value) }
        let bound = Parallel.map(entries.count) { index -> (String, any LinearAdapter) in
            let (path, layer) = entries[index]
            guard let magnitude = layer.magnitude, let base = linears[path], let squares = weightSquares[path] else {
                return (path, LoRALinear(layer, scale: scale))
            }
            if let merged = MergedDoRALinear(layer, magnitude: magnitude, scale: scale, base: base.prepared) {
                return (path, merged)
            }
            let norm = adaptedRowNorms(
                weight: base.prepared, weightSquares: squares, down: layer.down, up: layer.up, scale: scale)
            return (path, DoRALinear(layer, magnitude: magnitude, scale: scale, norm: norm))
        }
        return Dictionary(uniqueKeysWithValues: bound)
    }

    /// The adapter as the UNet calls it.
    package func bound(to linears: [String: Linear]) -> [String: any LinearAdapter] {
        bound(to: linears, weightSquares: weightSquares(linears))
    }
}
