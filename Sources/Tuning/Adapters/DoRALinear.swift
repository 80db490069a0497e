package import Diffusion
package import Tensors

/// y = (m/‖W + sBA‖)·(Wx + s·B(Ax)) + bias.
///
/// The norm takes no gradient (DoRA, section 4.3), so it is computed once when the layer is made, that is once per
/// optimizer step, whatever the number of microbatches or checkpointed reruns.
package struct DoRALinear: LinearAdapter {
    let layer: AdapterLayer
    let magnitude: Tensor
    let scale: Float
    /// ‖W + sBA‖ by rows, [out].
    let norm: Tensor

    /// - Parameters:
    ///   - layer: A `[r, in]` and B `[out, r]`.
    ///   - magnitude: m, `[out]`.
    ///   - scale: s.
    ///   - norm: ‖W + sBA‖ by rows, `[out]`: see `adaptedRowNorms`.
    package init(_ layer: AdapterLayer, magnitude: Tensor, scale: Float, norm: Tensor) {
        self.layer = layer
        self.magnitude = magnitude
        self.scale = scale
        self.norm = norm
    }

    package func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
        weightDecomposedLinear(
            x, base.prepared, bias: base.bias, down: layer.down, up: layer.up, magnitude: magnitude, norm: norm,
            scale: scale)
    }
}
