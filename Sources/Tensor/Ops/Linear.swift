/// y = x·Wᵀ + bias over the last dimension.
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: `[out, in]`, as PyTorch stores it.
///   - bias: `[out]`.
/// - Returns: `[…, out]`.
package func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    precondition(x.channels == inputs, "a linear layer for \(inputs) channels got a tensor of shape \(x.shape)")
    let rows = x.rows
    let out = Output(x.shape.dropLast() + [outputs])
    gemm(
        rows, outputs, inputs, Matrix(pointer: x.pointer, stride: inputs),
        Matrix(pointer: weight.pointer, stride: inputs, transposed: true), bias: bias?.pointer, into: out.pointer,
        stride: outputs)
    let needed = (x: x.requiresGradient, weight: weight.requiresGradient, bias: bias?.requiresGradient ?? false)
    // Frozen weights need no input saved: only what a gradient uses is captured.
    let (shape, savedInput) = (x.shape, needed.weight ? x.detached : nil)
    let savedWeight = needed.x ? weight.detached : nil
    return Tensor(value: out.tensor, parents: [x, weight] + (bias.map { [$0] } ?? [])) { gradient in
        [
            savedWeight.map { matmulRows(gradient, $0, shape: shape) },
            savedInput.map { outerProduct(gradient, $0) },
            needed.bias ? sumRows(gradient) : nil,
        ]
    }
}

/// gradient [rows, out] · weight [out, in].
private func matmulRows(_ gradient: Tensor, _ weight: Tensor, shape: [Int]) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let out = Output(shape)
    gemm(
        gradient.rows, inputs, outputs, Matrix(pointer: gradient.pointer, stride: outputs),
        Matrix(pointer: weight.pointer, stride: inputs), into: out.pointer, stride: inputs)
    return out.tensor
}

/// gradientᵀ [out, rows] · x [rows, in].
private func outerProduct(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    let (outputs, inputs) = (gradient.channels, x.channels)
    let out = Output([outputs, inputs])
    gemm(
        outputs, inputs, x.rows, Matrix(pointer: gradient.pointer, stride: outputs, transposed: true),
        Matrix(pointer: x.pointer, stride: inputs), into: out.pointer, stride: inputs)
    return out.tensor
}
