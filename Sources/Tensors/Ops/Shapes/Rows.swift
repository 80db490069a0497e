import CKernels

/// ⟨a, b⟩ of each row, over the last dimension: `[rows, C]` → `[rows]`.
package func rowDots(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape, "row products of \(a.shape) and \(b.shape)")
    let value = (a.backend ?? b.backend)?.rowDots(a, b) ?? rowProducts(a, b)
    return Tensor(value: value, parents: [a, b]) {
        [needsA = a.requiresGradient, needsB = b.requiresGradient, a = a.detached, b = b.detached] gradient in
        [needsA ? scaleRows(b, by: gradient) : nil, needsB ? scaleRows(a, by: gradient) : nil]
    }
}

private func rowProducts(_ a: Tensor, _ b: Tensor) -> Tensor {
    let width = a.channels
    let out = Output([a.rows])
    Parallel.rows(a.rows, width: width) { range in
        let start = range.lowerBound * width
        ck_row_dots(a.pointer + start, b.pointer + start, out.pointer + range.lowerBound, range.count, width)
    }
    return out.tensor
}

/// ‖W‖² by rows.
package func rowSquares(_ weight: Tensor) -> Tensor { rowDots(weight, weight) }

/// Row lengths from squared row lengths; 0 where rounding made these negative.
package func rowNorms(squared: Tensor) -> Tensor {
    let value = apply(.squareRoot, to: squared)
    return Tensor(value: value, parents: [squared]) { [quotient($0, value * 2)] }
}

/// The rows of a matrix, each times its factor.
///
/// - Parameters:
///   - matrix: `[rows, C]`.
///   - factors: `[rows]`.
package func scaleRows(_ matrix: Tensor, by factors: Tensor) -> Tensor {
    precondition(factors.count == matrix.rows, "\(factors.count) factors for \(matrix.rows) rows")
    let value = (matrix.backend ?? factors.backend)?.scaleRows(matrix, by: factors) ?? scaledRows(matrix, factors)
    return Tensor(value: value, parents: [matrix, factors]) {
        [
            needsMatrix = matrix.requiresGradient, needsFactors = factors.requiresGradient, matrix = matrix.detached,
            factors = factors.detached
        ] gradient in
        [
            needsMatrix ? scaleRows(gradient, by: factors) : nil,
            needsFactors ? rowDots(gradient, matrix).reshaped(factors.shape) : nil,
        ]
    }
}

private func scaledRows(_ matrix: Tensor, _ factors: Tensor) -> Tensor {
    let width = matrix.channels
    let out = Output(matrix.shape)
    Parallel.rows(matrix.rows, width: width) { range in
        for row in range {
            ck_scale(matrix.pointer + row * width, factors.pointer[row], out.pointer + row * width, width)
        }
    }
    return out.tensor
}
