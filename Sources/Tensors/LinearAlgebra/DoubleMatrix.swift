/// A row-major matrix in double precision, for statistics: sums over many samples lose too much in single precision.
package struct DoubleMatrix: Sendable, Equatable {
    package let rows, columns: Int
    package var values: [Double]

    package init(rows: Int, columns: Int, values: [Double]) {
        precondition(rows * columns == values.count, "\(rows)×\(columns) is not \(values.count) values")
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    package init(zeros rows: Int, _ columns: Int) {
        self.init(rows: rows, columns: columns, values: [Double](repeating: 0, count: rows * columns))
    }

    package subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    package func row(_ index: Int) -> ArraySlice<Double> { values[index * columns..<(index + 1) * columns] }

    /// Rows in the order of `indices`, which may name one several times.
    package func picking(_ indices: some Collection<Int>) -> DoubleMatrix {
        var picked: [Double] = []
        picked.reserveCapacity(indices.count * columns)
        for index in indices { picked += row(index) }
        return DoubleMatrix(rows: indices.count, columns: columns, values: picked)
    }

    /// The sum of the diagonal of a square matrix.
    package var trace: Double {
        precondition(rows == columns, "a trace is of a square matrix, not of \(rows)×\(columns)")
        return (0..<rows).reduce(0) { $0 + self[$1, $1] }
    }

    /// The mean of the rows.
    package var mean: [Double] {
        var sum = [Double](repeating: 0, count: columns)
        for row in 0..<rows {
            for (column, value) in self.row(row).enumerated() { sum[column] += value }
        }
        return sum.map { $0 / Double(max(rows, 1)) }
    }

    /// Every row less `point`; in place where nobody else holds the matrix.
    package consuming func centered(at point: [Double]) -> DoubleMatrix {
        var result = self
        result.subtract(point)
        return result
    }

    private mutating func subtract(_ point: [Double]) {
        precondition(point.count == columns, "\(point.count) values for \(columns) columns")
        let (rows, columns) = (rows, columns)
        values.withUnsafeMutableBufferPointer { values in
            for row in 0..<rows {
                for column in 0..<columns { values[row * columns + column] -= point[column] }
            }
        }
    }

    /// The sum of squares of each row.
    package var squaredNorms: [Double] {
        (0..<rows).map { row(row: $0) { values in values.reduce(0) { $0 + $1 * $1 } } }
    }

    private func row<R>(row: Int, _ body: (UnsafeBufferPointer<Double>) -> R) -> R {
        values.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[row * columns..<(row + 1) * columns])) }
    }
}
