/// y = x·Wᵀ + bias over the last dimension.
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: W, `[out, in]`, prepared.
///   - bias: `[out]`.
/// - Returns: `[…, out]`.
package func linear(_ x: Tensor, _ weight: PreparedLinear, bias: Tensor? = nil) -> Tensor {
    precondition(
        x.channels == weight.inputs, "a linear layer for \(weight.inputs) channels got a tensor of shape \(x.shape)")
    let value = weight.product(x, bias: bias)
    let (needsInput, needsBias) = (x.requiresGradient, bias?.requiresGradient ?? false)
    // Frozen weights need no input saved: only what a gradient uses is captured.
    let (shape, savedInput) = (x.shape, weight.parameter == nil ? nil : x.detached)
    let parents = [x] + (weight.parameter.map { [$0] } ?? []) + (bias.map { [$0] } ?? [])
    return Tensor(value: value, parents: parents) { gradient in
        var results: [Tensor?] = [needsInput ? weight.productBack(gradient).reshaped(shape) : nil]
        if let savedInput { results.append(outerProduct(gradient, savedInput)) }
        if bias != nil { results.append(needsBias ? sumRows(gradient) : nil) }
        return results
    }
}

/// The same with a weight `[out, in]` that is used once, or changes from use to use.
package func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    linear(x, PreparedLinear(weight), bias: bias)
}

/// gradientᵀ [out, rows] · x [rows, in].
private func outerProduct(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    if let backend = gradient.backend ?? x.backend {
        return backend.matmul(
            gradient.reshaped([gradient.rows, gradient.channels]), x.reshaped([x.rows, x.channels]), transposeA: true,
            transposeB: false)
    }
    let out = Output([gradient.channels, x.channels])
    outerProduct(gradient.pointer, gradient.channels, x.pointer, x.channels, rows: x.rows, into: out.pointer)
    return out.tensor
}
