package import Tensors

/// Mean and covariance of feature vectors: all that a Fréchet distance takes.
package struct FeatureStatistics: Sendable {
    /// Where they come from, for messages.
    package let source: String
    package let mean: [Double]
    /// Divided by n − 1, as NumPy's `cov` does.
    package let covariance: DoubleMatrix
    /// Of how many images; nil where the file does not say.
    package let count: Int?
    /// A matrix A with AᵀA = covariance and fewer rows than columns: the centered images, where these are few.
    let factor: DoubleMatrix?

    package var width: Int { mean.count }

    package init(_ features: Features) {
        self.init(features.matrix, source: features.source)
    }

    init(_ matrix: DoubleMatrix, source: String) {
        let mean = matrix.mean
        var centered = matrix.centered(at: mean)
        let scale = 1 / Double(matrix.rows - 1).squareRoot()
        for index in centered.values.indices { centered.values[index] *= scale }
        (self.source, self.mean, count) = (source, mean, matrix.rows)
        covariance = centered.gram
        factor = matrix.rows <= matrix.columns ? centered : nil
    }

    /// - Throws: ``MetricsError`` for values that are not finite and a matrix that is not a covariance.
    package init(mean: [Double], covariance: DoubleMatrix, source: String) throws(MetricsError) {
        guard !mean.isEmpty else { throw MetricsError(source, "has an empty mu") }
        guard mean.allSatisfy(\.isFinite), covariance.values.allSatisfy(\.isFinite) else {
            throw MetricsError(source, "has values in mu or sigma that are not numbers: compute them again")
        }
        let scale = (0..<mean.count).reduce(0) { max($0, abs(covariance[$1, $1])) }
        for row in 0..<mean.count {
            guard covariance[row, row] >= 0 else {
                throw MetricsError(source, "has a negative variance (sigma[\(row), \(row)]): compute it again")
            }
            for column in 0..<row where abs(covariance[row, column] - covariance[column, row]) > 1e-4 * scale {
                throw MetricsError(
                    source, "has a sigma that is not symmetric (at [\(row), \(column)]), so it is not a covariance")
            }
        }
        (self.mean, self.covariance, self.source) = (mean, covariance, source)
        (count, factor) = (nil, nil)
    }
}
