import Tensor

/// a/b by elements.
func quotient(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(shape: a.shape) { out in
        a.withValues { a in
            b.withValues { b in
                for index in 0..<out.count { out[index] = a[index] / b[index] }
            }
        }
    }
}

/// The rows of a matrix, each times its factor.
func scaleRows(_ matrix: Tensor, by factors: Tensor) -> Tensor {
    let columns = matrix.shape[1]
    return Tensor(shape: matrix.shape) { out in
        matrix.withValues { matrix in
            factors.withValues { factors in
                for (row, factor) in factors.enumerated() {
                    for index in row * columns..<(row + 1) * columns { out[index] = matrix[index] * factor }
                }
            }
        }
    }
}

/// A matrix with rows and columns exchanged.
func transposed(_ matrix: Tensor) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    return Tensor(shape: [columns, rows]) { out in
        matrix.withValues { matrix in
            for row in 0..<rows {
                for column in 0..<columns { out[column * rows + row] = matrix[row * columns + column] }
            }
        }
    }
}
