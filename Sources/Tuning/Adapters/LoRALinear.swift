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
        let weight = base.weight
        let rows = x.detached.reshaped([x.rows, x.channels])
        let (down, up) = (layer.down.detached, layer.up.detached)
        let narrow = matmul(rows, down, transposeB: true) * scale
        let value = productSum(
            Product(rows, weight, transposeB: true), Product(narrow, up, transposeB: true), bias: base.bias)

        let (scale, shape, needsInput) = (scale, x.shape, x.requiresGradient)
        return Tensor(
            value: value.reshaped(x.shape.dropLast() + [weight.shape[0]]), parents: [x, layer.down, layer.up]
        ) { gradient in
            let gradient = gradient.reshaped([rows.shape[0], weight.shape[0]])
            let dNarrow = matmul(gradient, up) * scale
            return [
                needsInput ? productSum(Product(gradient, weight), Product(dNarrow, down)).reshaped(shape) : nil,
                matmul(dNarrow, rows, transposeA: true),
                matmul(gradient, narrow, transposeA: true),
            ]
        }
    }
}
