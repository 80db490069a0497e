import CKernels
package import Tensor

/// Sums over each row of a ∘ b, for a and b [rows, columns]; gives [rows].
func rowDots(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape && a.shape.count == 2, "row dots take two matrices of one shape")
    let (rows, columns) = (a.shape[0], a.shape[1])
    return Tensor(shape: [rows]) { out in
        a.withValues { a in
            b.withValues { b in
                guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                ck_row_dots(a, b, out, rows, columns)
            }
        }
    }
}

/// ‖W‖² by rows.
package func rowSquares(_ weight: Tensor) -> Tensor {
    rowDots(weight, weight)
}

/// Row lengths from squared row lengths.
func rowNorms(squared: Tensor) -> Tensor {
    Tensor(shape: squared.shape) { out in
        squared.withValues { squared in
            for index in 0..<out.count { out[index] = max(squared[index], 0).squareRoot() }
        }
    }
}

/// ‖W + sBA‖ by rows, without the out×in matrix BA:
/// ‖W‖² + 2s·rowsum(B ∘ (W Aᵀ)) + s²·rowsum((B (A Aᵀ)) ∘ B).
///
/// - Parameters:
///   - weightSquares: ‖W‖² by rows, which a frozen W keeps for the whole run.
///   - down: A, [r, in].
///   - up: B, [out, r].
package func adaptedRowNorms(weight: LinearWeight, weightSquares: Tensor, down: Tensor, up: Tensor, scale: Float)
    -> Tensor
{
    let (down, up) = (down.detached, up.detached)
    let crossed = rowDots(up, transposed(product(down, weight)))
    let own = rowDots(matmul(up, matmul(down, down, transposeB: true)), up)
    return Tensor(shape: weightSquares.shape) { out in
        weightSquares.withValues { weightSquares in
            crossed.withValues { crossed in
                own.withValues { own in
                    for row in 0..<out.count {
                        let squared = weightSquares[row] + 2 * scale * crossed[row] + scale * scale * own[row]
                        out[row] = max(squared, 0).squareRoot()
                    }
                }
            }
        }
    }
}
