package import Diffusion
package import Tensors

/// What ``DoRALinear`` computes, with the adapter in the weight.
///
/// The weight is made once per optimizer step, whatever the number of microbatches.
package struct MergedDoRALinear: LinearAdapter {
    private let merged: MergedLinear

    /// Nil where a weight of its own saves little, or would lose what the gradient of m is computed from.
    package init?(_ layer: AdapterLayer, magnitude: Tensor, scale: Float, base: PreparedLinear) {
        guard
            let merged = MergedLinear(base, down: layer.down, up: layer.up, magnitude: magnitude, scale: scale)
        else { return nil }
        self.merged = merged
    }

    package func callAsFunction(_ x: Tensor, base: Linear) -> Tensor { merged(x, bias: base.bias) }
}
