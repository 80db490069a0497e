package import Diffusion
package import Tensors

extension Adapter {
    /// ‖W‖² by rows of every adapted layer: computed once per run, since W is frozen. Empty for LoRA.
    package func weightSquares(_ linears: [String: Linear]) -> [String: Tensor] {
        guard kind == .dora else { return [:] }
        return linears.filter { layers[$0.key] != nil }
            .mapValues { rowSquares($0.weight).moved(to: $0.prepared.placement.device) }
    }

    /// The adapter as the UNet calls it, for the layers' present values.
    package func bound(
        to linears: [String: Linear], weightSquares: [String: Tensor]
    ) -> [String: any LinearAdapter] {
        let entries = layers.map { (path: $0.key, layer: $0.value) }
        func bind(_ index: Int) -> (String, any LinearAdapter) {
            let path = entries[index].path
            let layer = linears[path].map { entries[index].layer.placed($0.prepared.placement) } ?? entries[index].layer
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
        // A device shares out each op by itself.
        let isOnHost = linears.values.allSatisfy { $0.prepared.placement.device == .cpu }
        return Dictionary(
            uniqueKeysWithValues: isOnHost ? Parallel.map(entries.count, bind) : entries.indices.map(bind))
    }

    /// The adapter as the UNet calls it.
    package func bound(to linears: [String: Linear]) -> [String: any LinearAdapter] {
        bound(to: linears, weightSquares: weightSquares(linears))
    }
}

extension AdapterLayer {
    /// The same where a layer computes, as ops of the tape; magnitudes, which multiply whole rows, in float32.
    fileprivate func placed(_ placement: Placement) -> AdapterLayer {
        guard placement != .cpu else { return self }
        return AdapterLayer(
            down: placement(down), up: placement(up), magnitude: magnitude?.moved(to: placement.device))
    }
}
