import Tensors

/// The directions in which vectors vary most, the largest variance first.
///
/// Found by subspace iteration from a fixed start (randomized SVD, Halko et al. 2011, arXiv 0909.4061): a few products with
/// the vectors instead of the eigenvectors of a covariance, whose cost grows with the cube of the width.
package struct PrincipalComponents: Sendable {
    package let width: Int
    package let mean: [Double]
    /// `[axes, width]`, each of length 1, or of zeros where the vectors vary in fewer directions. The largest value of
    /// each is positive, so that a map is not mirrored from one time to the next.
    private let axes: DoubleMatrix
    /// Of the variance of the vectors, what each axis has, 0…1.
    package let shares: [Double]

    /// Values of the vectors that are looked at; of more than fit, regularly chosen ones.
    package static let mostValues = 1_500_000
    private static let (mostRows, spare, rounds) = (4096, 8, 12)

    /// - Returns: how many of so many vectors ``init(_:width:axes:source:)`` is to be given at most.
    package static func sampled(width: Int) -> Int { max(min(mostRows, mostValues / max(width, 1)), 2) }

    /// - Parameters:
    ///   - values: `[count, width]`, one vector or more.
    ///   - width: of each vector.
    ///   - count: how many axes to find.
    ///   - source: what errors name.
    /// - Throws: ``CurationError`` for no vectors, and for values that are not finite.
    package init(_ values: [Float], width: Int, axes count: Int = 2, source: String) throws(CurationError) {
        precondition(width > 0 && values.count % width == 0, "\(values.count) values in vectors of \(width)")
        guard !values.isEmpty else { throw CurationError(source, "has no vectors to find axes of") }
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw CurationError(source, "vector \(bad / width) has a value that is \(values[bad])")
        }
        let whole = DoubleMatrix(rows: values.count / width, columns: width, values: values.map { Double($0) })
        let mean = whole.mean
        let centered = whole.centered(at: mean)
        let total = centered.values.reduce(0) { $0 + $1 * $1 }
        let size = min(count + Self.spare, width)
        let start = CounterGenerator(seed: 0, stream: 0).normal([width, size])
        var basis = DoubleMatrix(rows: width, columns: size, values: start.values.map { Double($0) })
        for _ in 0..<Self.rounds {
            let spread = DoubleMatrix.product(centered, .plain, Self.orthonormal(basis), .plain)
            basis = DoubleMatrix.product(centered, .transposed, spread, .plain)
        }
        let directions = Self.orthonormal(basis)
        let spread = DoubleMatrix.product(centered, .plain, directions, .plain)
        var axes = DoubleMatrix(zeros: count, width)
        var shares = [Double](repeating: 0, count: count)
        if total > 0, let (found, vectors) = spread.gram.symmetricEigen {
            // Ascending: the largest are last.
            for axis in 0..<min(count, size) where found[size - 1 - axis] > total * 1e-12 {
                shares[axis] = found[size - 1 - axis] / total
                let row = DoubleMatrix(rows: 1, columns: size, values: Array(vectors.row(size - 1 - axis)))
                let direction = DoubleMatrix.product(row, .plain, directions, .transposed)
                let largest = direction.values.max { abs($0) < abs($1) } ?? 1
                for column in 0..<width {
                    axes[axis, column] = largest < 0 ? -direction[0, column] : direction[0, column]
                }
            }
        }
        (self.width, self.mean, self.axes, self.shares) = (width, mean, axes, shares)
    }

    /// Columns of length 1 at right angles to each other that span what the given ones do (Gram-Schmidt, twice); those that
    /// add nothing are zeros.
    private static func orthonormal(_ columns: DoubleMatrix) -> DoubleMatrix {
        let (rows, count) = (columns.rows, columns.columns)
        // By columns: each is one stretch of memory.
        var vectors = (0..<count).map { column in (0..<rows).map { columns[$0, column] } }
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        for place in 0..<count {
            let before = product(vectors[place], vectors[place]).squareRoot()
            for _ in 0..<2 {
                for other in 0..<place {
                    let share = product(vectors[place], vectors[other])
                    for row in 0..<rows { vectors[place][row] -= share * vectors[other][row] }
                }
            }
            let length = product(vectors[place], vectors[place]).squareRoot()
            let scale = length > before * 1e-12 ? 1 / length : 0
            for row in 0..<rows { vectors[place][row] *= scale }
        }
        var out = DoubleMatrix(zeros: rows, count)
        for (column, vector) in vectors.enumerated() { for row in 0..<rows { out[row, column] = vector[row] } }
        return out
    }

    /// Where vectors lie along the axes.
    ///
    /// - Parameter values: `[count, width]`, finite.
    /// - Returns: `[count, axes]`.
    package func project(_ values: [Float]) -> [Float] {
        precondition(values.count % width == 0, "\(values.count) values in vectors of \(width)")
        let rows = values.count / width
        var out: [Float] = []
        out.reserveCapacity(rows * axes.rows)
        for start in stride(from: 0, to: rows, by: Self.mostRows) {
            let part = start * width..<min(start + Self.mostRows, rows) * width
            let block = DoubleMatrix(
                rows: part.count / width, columns: width, values: values[part].map { Double($0) })
            let placed = DoubleMatrix.product(block.centered(at: mean), .plain, axes, .transposed)
            out += placed.values.map { Float($0) }
        }
        return out
    }
}
