package import Diffusion
package import Tensors

/// y = Wx + bias + s·B(Ax).
package struct LoRALinear: LinearAdapter {
    let layer: AdapterLayer
    let scale: Float

    package init(_ layer: AdapterLayer, scale: Float) {
        self.layer = layer
        self.scale = scale
    }

    package func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
        lowRankLinear(x, base.prepared, bias: base.bias, down: layer.down, up: layer.up, scale: scale)
    }
}
