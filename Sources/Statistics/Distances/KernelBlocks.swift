package import Tensors

/// Sums over all pairs of two sets, by blocks of rows, so that the matrix of pairs is never in memory.
package enum KernelBlocks {
    /// A block's products take this many values or fewer.
    private static let blockValues = 1 << 22

    /// Calls `body` with the inner products of some rows of `a` (as a range) and all rows of `b`.
    static func products(
        _ a: DoubleMatrix, _ b: DoubleMatrix, _ body: (_ rows: Range<Int>, _ products: DoubleMatrix) throws -> Void
    ) rethrows {
        let step = max(min(blockValues / max(b.rows, 1), a.rows), 1)
        for start in stride(from: 0, to: a.rows, by: step) {
            let rows = start..<min(start + step, a.rows)
            try body(rows, .product(a.picking(rows), .plain, b, .transposed))
        }
    }

    /// The sum of `kernel` over the rows of `b`, for each row of `a`.
    ///
    /// - Parameter kernel: of an inner product and the two indices.
    package static func rowSums(
        _ a: DoubleMatrix, _ b: DoubleMatrix, kernel: (_ product: Double, _ row: Int, _ column: Int) -> Double
    ) -> [Double] {
        var sums: [Double] = []
        products(a, b) { rows, products in
            let count = products.columns
            sums += Parallel.map(rows.count) { row in
                products.values.withUnsafeBufferPointer { values in
                    var sum = 0.0
                    for column in 0..<count {
                        sum += kernel(values[row * count + column], rows.lowerBound + row, column)
                    }
                    return sum
                }
            }
        }
        return sums
    }
}
