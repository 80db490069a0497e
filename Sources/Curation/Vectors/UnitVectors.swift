package import Tensors

/// Vectors of length 1, `[count, width]`, for cosines: the products of two blocks of them.
package struct UnitVectors: Sendable {
    package let count, width: Int
    package let values: [Float]

    /// Scales every vector to length 1; vectors of zeros stay.
    ///
    /// - Parameters:
    ///   - values: one vector after the other.
    ///   - width: of a vector.
    ///   - isCentered: whether the mean of all is taken off first, which spreads vectors that all point one way.
    ///   - source: what errors name them by.
    /// - Throws: ``CurationError`` for values that are not a number.
    package init(_ values: [Float], width: Int, isCentered: Bool = false, source: String) throws(CurationError) {
        precondition(width > 0 && values.count % width == 0, "\(values.count) values in vectors of \(width)")
        (self.width, count) = (width, values.count / width)
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw CurationError(source, "vector \(bad / width) has a value that is \(values[bad])")
        }
        var mean = [Double](repeating: 0, count: width)
        if isCentered {
            for index in values.indices { mean[index % width] += Double(values[index]) }
            for column in 0..<width { mean[column] /= Double(max(count, 1)) }
        }
        var scaled = values
        for row in 0..<count {
            var sum = 0.0
            for column in 0..<width {
                let value = Double(values[row * width + column]) - mean[column]
                scaled[row * width + column] = Float(value)
                sum += value * value
            }
            let scale = sum > 0 ? Float(1 / sum.squareRoot()) : 0
            for column in 0..<width { scaled[row * width + column] *= scale }
        }
        self.values = scaled
    }

    package func block(_ range: Range<Int>) -> Tensor {
        Tensor(shape: [range.count, width], values: Array(values[range.lowerBound * width..<range.upperBound * width]))
    }

    /// The cosines of one vector with all.
    package func cosines(to row: Int) -> [Float] { cosines(to: Array(values[row * width..<(row + 1) * width])) }

    /// The same of a vector of length 1 that is none of these.
    package func cosines(to vector: [Float]) -> [Float] {
        let step = 4096
        return Parallel.map((count + step - 1) / step) { block in
            values.withUnsafeBufferPointer { values in
                (block * step..<min((block + 1) * step, count)).map { row in
                    var sum: Float = 0
                    for column in 0..<width { sum += values[row * width + column] * vector[column] }
                    return sum
                }
            }
        }.flatMap(\.self)
    }
}
