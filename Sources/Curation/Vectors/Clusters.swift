import Tensors

/// k-means over vectors of length 1, by cosines (spherical k-means), begun with k-means++.
package enum Clusters {
    /// - Parameters:
    ///   - vectors: what is put into clusters.
    ///   - count: of clusters.
    ///   - seed: of the beginning.
    ///   - isCancelled: asked before each pass.
    /// - Returns: the cluster of each vector, from 0.
    /// - Throws: ``CurationError`` for more clusters than vectors; `CancellationError`.
    package static func assign(
        _ vectors: UnitVectors, count: Int, seed: UInt64 = 0, isCancelled: () -> Bool = { false }
    ) throws -> [Int] {
        guard count <= vectors.count else {
            throw CurationError("\(count) clusters", "are more than there are samples, \(vectors.count)")
        }
        let draws = CounterGenerator(seed: seed, stream: 0)
        var centers: [Float] = []
        var distances = [Float](repeating: .infinity, count: vectors.count)
        var next = draws.integer(0, below: vectors.count)
        for number in 0..<count {
            if isCancelled() { throw CancellationError() }
            centers += vectors.values[next * vectors.width..<(next + 1) * vectors.width]
            for (index, cosine) in vectors.cosines(to: next).enumerated() {
                distances[index] = min(distances[index], max(1 - cosine, 0))
            }
            distances[next] = 0
            let total = distances.reduce(0.0) { $0 + Double($1) }
            // All that is left are copies of the centers.
            guard total > 0 else {
                next = draws.integer(UInt64(number + 1), below: vectors.count)
                continue
            }
            var rest = Double(draws.bits(UInt64(number + 1)) >> 11) * 0x1p-53 * total
            next = distances.indices.last { distances[$0] > 0 } ?? 0
            for (index, distance) in distances.enumerated() where distance > 0 {
                rest -= Double(distance)
                if rest <= 0 {
                    next = index
                    break
                }
            }
        }
        var clusters = [Int](repeating: 0, count: vectors.count)
        for _ in 0..<50 {
            if isCancelled() { throw CancellationError() }
            let assigned = nearest(vectors, centers, count)
            if assigned == clusters { break }
            clusters = assigned
            centers = means(vectors, clusters, centers, count)
        }
        return clusters
    }

    private static func nearest(_ vectors: UnitVectors, _ centers: [Float], _ count: Int) -> [Int] {
        let table = Tensor(shape: [count, vectors.width], values: centers)
        var clusters: [Int] = []
        for start in stride(from: 0, to: vectors.count, by: 4096) {
            let range = start..<min(start + 4096, vectors.count)
            linear(vectors.block(range), table).withValues { cosines in
                for row in 0..<range.count {
                    let own = cosines[row * count..<(row + 1) * count]
                    clusters.append((own.indices.max { own[$0] < own[$1] } ?? own.startIndex) - own.startIndex)
                }
            }
        }
        return clusters
    }

    /// A cluster that has lost all of its members keeps its center.
    private static func means(_ vectors: UnitVectors, _ clusters: [Int], _ centers: [Float], _ count: Int) -> [Float] {
        let width = vectors.width
        var sums = [Double](repeating: 0, count: count * width)
        for (index, cluster) in clusters.enumerated() {
            for column in 0..<width { sums[cluster * width + column] += Double(vectors.values[index * width + column]) }
        }
        var result = centers
        for cluster in 0..<count {
            let length = (0..<width).reduce(0.0) { $0 + sums[cluster * width + $1] * sums[cluster * width + $1] }
                .squareRoot()
            guard length > 0 else { continue }
            for column in 0..<width {
                result[cluster * width + column] = Float(sums[cluster * width + column] / length)
            }
        }
        return result
    }
}
