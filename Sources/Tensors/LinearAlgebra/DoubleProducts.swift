import CKernels
import COpenBLAS

extension DoubleMatrix {
    /// One operand of a product, as it is in memory, or transposed.
    package enum Side {
        case plain
        case transposed
    }

    /// The product of two matrices, on all cores.
    package static func product(
        _ a: DoubleMatrix, _ aSide: Side, _ b: DoubleMatrix, _ bSide: Side
    ) -> DoubleMatrix {
        let (m, k) = aSide == .plain ? (a.rows, a.columns) : (a.columns, a.rows)
        let (l, n) = bSide == .plain ? (b.rows, b.columns) : (b.columns, b.rows)
        precondition(k == l, "a product of \(m)×\(k) and \(l)×\(n)")
        var out = DoubleMatrix(zeros: m, n)
        guard m > 0, n > 0, k > 0 else { return out }
        withBLASThreads {
            cblas_dgemm(
                CblasRowMajor, aSide == .plain ? CblasNoTrans : CblasTrans, bSide == .plain ? CblasNoTrans : CblasTrans,
                blasint(m), blasint(n), blasint(k), 1, a.values, blasint(a.columns), b.values, blasint(b.columns), 0,
                &out.values, blasint(n))
        }
        return out
    }

    /// The transpose times the matrix itself, `[columns, columns]`.
    package var gram: DoubleMatrix {
        var out = DoubleMatrix(zeros: columns, columns)
        guard rows > 0, columns > 0 else { return out }
        withBLASThreads {
            cblas_dsyrk(
                CblasRowMajor, CblasUpper, CblasTrans, blasint(columns), blasint(rows), 1, values, blasint(columns), 0,
                &out.values, blasint(columns))
        }
        out.values.withUnsafeMutableBufferPointer { values in
            for row in 0..<columns {
                for column in 0..<row { values[row * columns + column] = values[column * columns + row] }
            }
        }
        return out
    }
}

/// Runs a call of OpenBLAS on all of the engine's threads, or on the caller's alone inside of a parallel section.
func withBLASThreads<R>(_ body: () -> R) -> R {
    let isAlone = ck_parallel_inside() == 0
    if isAlone { openblas_set_num_threads(Int32(Parallel.threads)) }
    defer { if isAlone { openblas_set_num_threads(1) } }
    return body()
}
