package import Tensors

/// Feature vectors of images, `[images, dimensions]`.
package struct Features: Sendable {
    /// Where they come from, for messages.
    package let source: String
    package let matrix: DoubleMatrix
    /// Of the images, in the order of the rows; nil where nobody gave any.
    package let names: [String]?
    /// What made them, as Attune's own files say: a kind and a digest.
    package let encoder: String?

    package var count: Int { matrix.rows }
    package var width: Int { matrix.columns }

    /// - Throws: ``MetricsError`` for fewer than two rows, no columns, a value that is not a finite number, and names that are
    ///   not one for each row.
    package init(
        _ matrix: DoubleMatrix, names: [String]? = nil, encoder: String? = nil, source: String
    ) throws(MetricsError) {
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
        self.init(checked: matrix, names, encoder, source)
    }

    private init(checked matrix: DoubleMatrix, _ names: [String]?, _ encoder: String?, _ source: String) {
        (self.matrix, self.names, self.encoder, self.source) = (matrix, names, encoder, source)
    }

    /// The same under another name in messages.
    package func called(_ source: String) -> Features { Features(checked: matrix, names, encoder, source) }

    /// Every vector scaled to length 1; vectors of zeros stay.
    package var normalized: Features {
        var result = matrix
        for (row, square) in matrix.squaredNorms.enumerated() where square > 0 {
            let scale = 1 / square.squareRoot()
            for column in 0..<width { result[row, column] *= scale }
        }
        return Features(checked: result, names, encoder, source)
    }

    /// Whether CMMD's definition scales these vectors: its features are CLIP's.
    var isOfCLIP: Bool { encoder?.hasPrefix("clip ") == true }

    /// Refuses to compare vectors of two encoders.
    static func requireSameEncoder(_ a: Features, _ b: Features) throws(MetricsError) {
        try requireSameWidth((a.source, a.width), (b.source, b.width))
        if let first = a.encoder, let second = b.encoder, first != second {
            throw MetricsError(
                b.source, "has features of \(second), \(a.source) of \(first): compare features of one encoder")
        }
    }

    /// Refuses to compare vectors of two lengths.
    static func requireSameWidth(
        _ a: (source: String, width: Int), _ b: (source: String, width: Int)
    ) throws(MetricsError) {
        guard a.width == b.width else {
            throw MetricsError(
                b.source,
                "has features of \(b.width) dimensions, \(a.source) of \(a.width): compare features of one encoder")
        }
    }
}
