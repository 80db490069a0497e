import Tensors

/// Precision and recall (arXiv 1904.06991), density and coverage (arXiv 2002.09797), over balls that reach to the k-th
/// nearest neighbor, as the package `prdc` computes them.
package struct PrecisionRecall: Sendable {
    /// Of each generated image: whether it is in the ball of any real one.
    let isRealistic: [Double]
    /// Of each generated image: in how many such balls, divided by k.
    let densities: [Double]
    /// Of each real image: whether it is in the ball of any generated one.
    let isReached: [Double]
    /// Of each real image: whether its ball has a generated one in it.
    let isCovered: [Double]

    /// The share of generated images that look real.
    package var precision: Double { Self.mean(isRealistic) }
    /// The share of real images that the generated ones reach.
    package var recall: Double { Self.mean(isReached) }
    package var density: Double { Self.mean(densities) }
    package var coverage: Double { Self.mean(isCovered) }

    package static let defaultNeighbors = 5

    /// - Parameters:
    ///   - real: features of the reference images.
    ///   - generated: features of the images that are judged.
    ///   - k: the neighbor that a ball reaches to.
    /// - Throws: ``MetricsError`` for two widths, or for no more than k images.
    package init(real: Features, generated: Features, k: Int = Self.defaultNeighbors) throws(MetricsError) {
        try Features.requireSameEncoder(real, generated)
        for set in [real, generated] where set.count <= k {
            throw MetricsError(
                set.source, "has \(set.count) images; precision and recall with k = \(k) take more than \(k)")
        }
        // Less rounding than around a far origin; distances stay.
        let center = real.matrix.mean
        let (a, b) = (real.matrix.centered(at: center), generated.matrix.centered(at: center))
        let (aNorms, bNorms) = (a.squaredNorms, b.squaredNorms)
        let (aRadii, bRadii) = (Self.radii(a, aNorms, k: k), Self.radii(b, bNorms, k: k))
        var inBalls = [Int](repeating: 0, count: b.rows)
        var (reached, covered): ([Double], [Double]) = ([], [])
        KernelBlocks.products(a, b) { rows, products in
            let count = products.columns
            // Of each row: whether any column's ball has it, and whether its own ball has any column.
            let found = Parallel.map(rows.count) { row in
                let real = rows.lowerBound + row
                var (isReached, isCovered) = (false, false)
                products.values.withUnsafeBufferPointer { values in
                    for column in 0..<count {
                        let distance = aNorms[real] + bNorms[column] - 2 * values[row * count + column]
                        if distance < bRadii[column] { isReached = true }
                        if distance < aRadii[real] { isCovered = true }
                    }
                }
                return (isReached, isCovered)
            }
            reached += found.map { $0.0 ? 1 : 0 }
            covered += found.map { $0.1 ? 1 : 0 }
            let step = 512
            let counts = Parallel.map((count + step - 1) / step) { chunk in
                let columns = chunk * step..<min((chunk + 1) * step, count)
                var counts = [Int](repeating: 0, count: columns.count)
                products.values.withUnsafeBufferPointer { values in
                    for (row, real) in rows.enumerated() {
                        for column in columns {
                            let distance = aNorms[real] + bNorms[column] - 2 * values[row * count + column]
                            if distance < aRadii[real] { counts[column - columns.lowerBound] += 1 }
                        }
                    }
                }
                return counts
            }.joined()
            for (column, more) in counts.enumerated() { inBalls[column] += more }
        }
        (isReached, isCovered) = (reached, covered)
        isRealistic = inBalls.map { $0 > 0 ? 1 : 0 }
        densities = inBalls.map { Double($0) / Double(k) }
    }

    /// The squared distance of each row to its k-th nearest other row.
    private static func radii(_ x: DoubleMatrix, _ norms: [Double], k: Int) -> [Double] {
        var radii: [Double] = []
        KernelBlocks.products(x, x) { rows, products in
            let count = products.columns
            radii += Parallel.map(rows.count) { row in
                let itself = rows.lowerBound + row
                // The k smallest so far, ascending.
                var nearest = [Double](repeating: .infinity, count: k)
                products.values.withUnsafeBufferPointer { values in
                    for column in 0..<count where column != itself {
                        let distance = norms[itself] + norms[column] - 2 * values[row * count + column]
                        guard distance < nearest[k - 1] else { continue }
                        var place = k - 1
                        while place > 0, nearest[place - 1] > distance {
                            nearest[place] = nearest[place - 1]
                            place -= 1
                        }
                        nearest[place] = distance
                    }
                }
                return nearest[k - 1]
            }
        }
        return radii
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
