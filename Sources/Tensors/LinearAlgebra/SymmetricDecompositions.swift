import COpenBLAS

extension DoubleMatrix {
    /// The eigenvalues of a symmetric matrix, ascending. Its upper half is not looked at.
    ///
    /// - Returns: nil where the solver does not converge, as with values that are not finite.
    package var symmetricEigenvalues: [Double]? { Self.eigen(self, vectors: false)?.values }

    /// The same with the eigenvectors: row i of `vectors` belongs to value i.
    package var symmetricEigen: (values: [Double], vectors: DoubleMatrix)? { Self.eigen(self, vectors: true) }

    private static func eigen(
        _ matrix: DoubleMatrix, vectors: Bool
    ) -> (values: [Double], vectors: DoubleMatrix)? {
        precondition(matrix.rows == matrix.columns, "eigenvalues are of a square matrix")
        guard matrix.rows > 0, matrix.values.allSatisfy(\.isFinite) else { return nil }
        var (out, values) = (matrix, [Double](repeating: 0, count: matrix.rows))
        let (job, half, size) = (vectors ? "V" : "N", "U", [Int32(matrix.rows)])
        var info: Int32 = 0
        withBLASThreads {
            // The first call only says how much working memory the second one wants.
            let ask: [Int32] = [-1]
            var (bestWork, bestIndices) = (0.0, Int32(0))
            dsyevd_(job, half, size, &out.values, size, &values, &bestWork, ask, &bestIndices, ask, &info)
            var work = [Double](repeating: 0, count: Int(bestWork))
            var indices = [Int32](repeating: 0, count: Int(bestIndices))
            let counts = ([Int32(work.count)], [bestIndices])
            dsyevd_(job, half, size, &out.values, size, &values, &work, counts.0, &indices, counts.1, &info)
        }
        return info == 0 ? (values, out) : nil
    }

    /// The upper triangular U with UᵀU = self; nil where the matrix is not positive definite.
    package var choleskyFactor: DoubleMatrix? {
        precondition(rows == columns, "a Cholesky factor is of a square matrix")
        var out = self
        // What is lower to LAPACK, which counts by columns, is upper here.
        let size = [Int32(rows)]
        var info: Int32 = 0
        withBLASThreads { dpotrf_("L", size, &out.values, size, &info) }
        guard info == 0, out.values.allSatisfy(\.isFinite) else { return nil }
        for row in 0..<rows {
            for column in 0..<row { out[row, column] = 0 }
        }
        return out
    }

    /// A matrix A with AᵀA = self, for a positive semidefinite matrix. Eigenvalues that rounding made negative count as 0.
    ///
    /// - Returns: nil where there is none.
    package var squareRootFactor: DoubleMatrix? {
        if let factor = choleskyFactor { return factor }
        guard let (values, vectors) = symmetricEigen else { return nil }
        var factor = vectors
        for (row, value) in values.enumerated() {
            let scale = max(value, 0).squareRoot()
            for column in 0..<columns { factor[row, column] *= scale }
        }
        return factor
    }
}
