/// y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ + bias over the last dimension, as one node of the tape (LoRA, Hu et al., arXiv 2106.09685).
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: W, frozen.
///   - bias: `[out]`, frozen.
///   - down: A, `[r, in]`.
///   - up: B, `[out, r]`.
///   - scale: s.
/// - Returns: `[…, out]`.
package func lowRankLinear(
    _ x: Tensor, _ weight: PreparedLinear, bias: Tensor?, down: Tensor, up: Tensor, scale: Float
) -> Tensor {
    let rows = x.detached.reshaped([x.rows, x.channels])
    let parents = [x, down, up]
    let (down, up) = (down.detached, up.detached)
    // The scale goes to the narrow side, [rows, r].
    let narrow = matmul(rows, down, transposeB: true) * scale
    let value = lowRankSum(rows, weight, narrow, up, bias: bias)
    let (shape, needsInput) = (x.shape, x.requiresGradient)
    return Tensor(value: value.reshaped(shape.dropLast() + [weight.outputs]), parents: parents) { gradient in
        let gradient = gradient.reshaped([rows.shape[0], weight.outputs])
        let dNarrow = matmul(gradient, up) * scale
        return [
            needsInput ? lowRankSumBack(gradient, weight, dNarrow, down).reshaped(shape) : nil,
            matmul(dNarrow, rows, transposeA: true),
            matmul(gradient, narrow, transposeA: true),
        ]
    }
}

/// y = (m/‖W + sBA‖)∘(x·Wᵀ + s·(x·Aᵀ)·Bᵀ) + bias over the last dimension, as one node of the tape (DoRA, Liu et al.,
/// arXiv 2402.09353). The norm takes no gradient (section 4.3 there).
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: W, frozen.
///   - bias: `[out]`, frozen.
///   - down: A, `[r, in]`.
///   - up: B, `[out, r]`.
///   - magnitude: m, `[out]`.
///   - norm: ‖W + sBA‖ by rows, `[out]`: see ``adaptedRowNorms(weight:weightSquares:down:up:scale:)``.
///   - scale: s.
package func weightDecomposedLinear(
    _ x: Tensor, _ weight: PreparedLinear, bias: Tensor?, down: Tensor, up: Tensor, magnitude: Tensor, norm: Tensor,
    scale: Float
) -> Tensor {
    let rows = x.detached.reshaped([x.rows, x.channels])
    let parents = [x, down, up, magnitude]
    let (down, up, norm) = (down.detached, up.detached, norm.detached)
    let narrow = matmul(rows, down, transposeB: true) * scale
    let sum = lowRankSum(rows, weight, narrow, up)
    let gain = quotient(magnitude.detached, norm)
    let value = scaleColumns(sum, gain: gain, bias: bias?.detached)
    let (shape, needsInput) = (x.shape, x.requiresGradient)
    return Tensor(value: value.reshaped(shape.dropLast() + [weight.outputs]), parents: parents) { gradient in
        let (dSum, products) = scaleColumnsVJP(gradient.reshaped(sum.shape), sum, gain: gain)
        let dNarrow = matmul(dSum, up) * scale
        return [
            needsInput ? lowRankSumBack(dSum, weight, dNarrow, down).reshaped(shape) : nil,
            matmul(dNarrow, rows, transposeA: true),
            matmul(dSum, narrow, transposeA: true),
            quotient(products, norm),
        ]
    }
}

/// ‖W + sBA‖ by rows, without the out×in matrix BA:
/// ‖W‖² + 2s·rowsum(B∘(W·Aᵀ)) + s²·rowsum((B·(A·Aᵀ))∘B). Takes no gradients.
///
/// - Parameters:
///   - weight: W.
///   - weightSquares: ‖W‖² by rows, `[out]`, which a frozen W keeps for the whole run.
///   - down: A, `[r, in]`.
///   - up: B, `[out, r]`.
///   - scale: s.
package func adaptedRowNorms(
    weight: PreparedLinear, weightSquares: Tensor, down: Tensor, up: Tensor, scale: Float
) -> Tensor {
    let (down, up) = (down.detached, up.detached)
    let crossed = rowDots(up, product(down, weight).transposed)
    let own = rowDots(matmul(up, matmul(down, down, transposeB: true)), up)
    return rowNorms(squared: weightSquares.detached + crossed * (2 * scale) + own * (scale * scale))
}

/// W with a low-rank change folded in: W + sBA, or with a magnitude (m/‖W + sBA‖)∘(W + sBA) by rows.
///
/// - Parameters:
///   - weight: W, `[out, …]`, taken as a matrix of `out` rows, as the kernel of a convolution is.
///   - down: A, `[r, in]`, where in is the length of these rows.
///   - up: B, `[out, r]`.
///   - magnitude: m, `[out]`.
///   - scale: s.
/// - Returns: a weight of the same shape.
package func foldedWeight(_ weight: Tensor, down: Tensor, up: Tensor, magnitude: Tensor?, scale: Float) -> Tensor {
    let rows = weight.shape[0]
    let sum = weight.reshaped([rows, weight.count / max(rows, 1)]) + matmul(up, down) * scale
    guard let magnitude else { return sum.reshaped(weight.shape) }
    return scaleRows(sum, by: quotient(magnitude, rowNorms(squared: rowSquares(sum)))).reshaped(weight.shape)
}
