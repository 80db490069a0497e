/// x·Wᵀ + narrow·upᵀ + bias, where the second product is added in place: a low-rank correction costs no pass over
/// memory of its own. Takes no gradients; the ops that are built on it bring their own.
///
/// - Parameters:
///   - x: `[m, in]`.
///   - narrow: `[m, r]`.
///   - up: `[out, r]`.
/// - Returns: `[m, out]`.
func lowRankSum(
    _ x: Tensor, _ weight: PreparedLinear, _ narrow: Tensor, _ up: Tensor, bias: Tensor? = nil
) -> Tensor {
    precondition(narrow.rows == x.rows && up.shape[0] == weight.outputs, "a sum of products of one shape")
    if weight.remote != nil || x.backend != nil {
        return weight.product(x, bias: bias) + matmul(narrow.detached, up.detached, transposeB: true)
    }
    let out = Output([x.rows, weight.outputs])
    weight.multiply(x.pointer, rows: x.rows, bias: bias?.pointer, into: out.pointer)
    add(narrow, up, transposed: true, to: out)
    return out.tensor
}

/// The backward pass: gradient·W + dNarrow·down.
///
/// - Parameters:
///   - gradient: `[m, out]`.
///   - dNarrow: `[m, r]`.
///   - down: `[r, in]`.
/// - Returns: `[m, in]`.
func lowRankSumBack(_ gradient: Tensor, _ weight: PreparedLinear, _ dNarrow: Tensor, _ down: Tensor) -> Tensor {
    precondition(dNarrow.rows == gradient.rows && down.shape[1] == weight.inputs, "a sum of products of one shape")
    if weight.remote != nil || gradient.backend != nil {
        return weight.productBack(gradient) + matmul(dNarrow.detached, down.detached)
    }
    let out = Output([gradient.rows, weight.inputs])
    weight.multiplyBack(gradient.pointer, rows: gradient.rows, into: out.pointer)
    add(dNarrow, down, transposed: false, to: out)
    return out.tensor
}

/// x·Wᵀ for x `[m, in]`, without gradients: `[m, out]`.
func product(_ x: Tensor, _ weight: PreparedLinear) -> Tensor {
    weight.product(x.reshaped([x.rows, x.channels]).detached)
}

/// gradient·W for gradient `[m, out]`, the backward pass: `[m, in]`.
func productBack(_ gradient: Tensor, _ weight: PreparedLinear) -> Tensor {
    weight.productBack(gradient.reshaped([gradient.rows, gradient.channels]).detached)
}

private func add(_ a: Tensor, _ b: Tensor, transposed: Bool, to out: Output) {
    gemm(
        a.rows, out.shape[1], a.channels, Matrix(pointer: a.pointer, stride: a.channels),
        Matrix(pointer: b.pointer, stride: b.channels, transposed: transposed), beta: 1, into: out.pointer,
        stride: out.shape[1])
}
