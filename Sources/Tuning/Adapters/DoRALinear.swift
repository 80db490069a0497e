package import Diffusion
package import Tensor

/// y = (m/‖W + sBA‖)·(Wx + s·B(Ax)) + bias, as one node of the tape.
///
/// The norm takes no gradient (DoRA, section 4.3), so it is computed once when the layer is made, that is once an
/// optimiser step, whatever the number of microbatches or checkpointed reruns.
package struct DoRALinear: LinearAdapter {
    let layer: AdapterLayer
    let magnitude: Tensor
    let scale: Float
    /// ‖W + sBA‖ by rows, [out].
    let norm: Tensor

    /// - Parameter norm: see `adaptedRowNorms`.
    package init(_ layer: AdapterLayer, magnitude: Tensor, scale: Float, norm: Tensor) {
        self.layer = layer
        self.magnitude = magnitude
        self.scale = scale
        self.norm = norm
    }

    package func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
        let weight = base.packed
        let rows = x.detached.reshaped([x.rows, x.channels])
        let (down, up) = (layer.down.detached, layer.up.detached)
        // The scale goes to the narrow side, [rows, r].
        let narrow = matmul(rows, down, transposeB: true) * scale
        let sum = lowRankSum(rows, weight, narrow, up)
        let gain = quotient(magnitude.detached, norm)
        let value = scaleColumns(sum, gain: gain, bias: base.bias)

        let (norm, scale, shape, needsInput) = (norm, scale, x.shape, x.requiresGradient)
        return Tensor(
            value: value.reshaped(x.shape.dropLast() + [weight.outputs]),
            parents: [x, layer.down, layer.up, magnitude]
        ) { gradient in
            let (dSum, products) = scaleColumnsBackward(gradient.reshaped(sum.shape), sum: sum, gain: gain)
            let dNarrow = matmul(dSum, up) * scale
            return [
                needsInput ? lowRankSumBack(dSum, weight, dNarrow, down).reshaped(shape) : nil,
                matmul(dNarrow, rows, transposeA: true),
                matmul(dSum, narrow, transposeA: true),
                quotient(products, norm),
            ]
        }
    }
}
