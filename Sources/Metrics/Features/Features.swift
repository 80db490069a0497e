package import Tensor

/// Feature vectors of images, `[images, dimensions]`.
package struct Features: Sendable {
    /// Where they come from, for messages.
    package let source: String
    package let matrix: DoubleMatrix
    /// Of the images, in the order of the rows; nil where nobody gave any.
    package let names: [String]?

    package var count: Int { matrix.rows }
    package var width: Int { matrix.columns }

    /// - Throws: ``MetricsError`` for fewer than two rows, no columns, a value that is no finite number, and names that are
    ///   not one for each row.
    package init(_ matrix: DoubleMatrix, names: [String]? = nil, source: String) throws(MetricsError) {
        guard matrix.rows > 0, matrix.columns > 0 else {
            throw MetricsError(source, "holds no features: its shape is \(matrix.rows)×\(matrix.columns)")
        }
        guard matrix.rows > 1 else {
            throw MetricsError(source, "holds the features of one image; a distribution needs two or more")
        }
        if let place = matrix.values.firstIndex(where: { !$0.isFinite }) {
            let (row, column) = place.quotientAndRemainder(dividingBy: matrix.columns)
            throw MetricsError(
                source,
                "row \(row), column \(column) is \(matrix.values[place]), not a number: extract the features again")
        }
        if let names, names.count != matrix.rows {
            throw MetricsError(source, "has \(names.count) names for \(matrix.rows) rows of features")
        }
        (self.matrix, self.names, self.source) = (matrix, names, source)
    }

    /// Every vector scaled to length 1; vectors of zeros stay.
    package var normalized: Features {
        get throws(MetricsError) {
            var result = matrix
            for (row, square) in matrix.squaredNorms.enumerated() where square > 0 {
                let scale = 1 / square.squareRoot()
                for column in 0..<width { result[row, column] *= scale }
            }
            return try Features(result, names: names, source: source)
        }
    }

    /// Refuses to compare vectors of two encoders.
    package static func requireSameWidth(
        _ a: (source: String, width: Int), _ b: (source: String, width: Int)
    ) throws(MetricsError) {
        guard a.width == b.width else {
            throw MetricsError(
                b.source,
                "has features of \(b.width) dimensions, \(a.source) of \(a.width): compare features of one encoder")
        }
    }
}
