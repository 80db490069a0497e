package import Diffusion
package import Tensor

/// y = Wx + bias + s·B(Ax), as one node of the tape.
package struct LoRALinear: LinearAdapter {
    let layer: AdapterLayer
    let scale: Float

    package init(_ layer: AdapterLayer, scale: Float) {
        self.layer = layer
        self.scale = scale
    }

    package func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
        let weight = base.packed
        let rows = x.detached.reshaped([x.rows, x.channels])
        let (down, up) = (layer.down.detached, layer.up.detached)
        let narrow = matmul(rows, down, transposeB: true) * scale
        let value = lowRankSum(rows, weight, narrow, up, bias: base.bias)

        let (scale, shape, needsInput) = (scale, x.shape, x.requiresGradient)
        return Tensor(
            value: value.reshaped(x.shape.dropLast() + [weight.outputs]), parents: [x, layer.down, layer.up]
        ) { gradient in
            let gradient = gradient.reshaped([rows.shape[0], weight.outputs])
            let dNarrow = matmul(gradient, up) * scale
            return [
                needsInput ? lowRankSumBack(gradient, weight, dNarrow, down).reshaped(shape) : nil,
                matmul(dNarrow, rows, transposeA: true),
                matmul(gradient, narrow, transposeA: true),
            ]
        }
    }
}
