import Tensors

/// Near-duplicates by vectors: pairs whose cosine is large. All pairs are looked at, by blocks, as matrix products: exact,
/// in memory that does not grow with their number, and faster than an index where vectors have hundreds of dimensions.
package enum VectorDuplicates {
    /// 1 less the cosine: of DINOv2's features a good start.
    package static let defaultThreshold: Float = 0.05
    private static let (rows, columns) = (1024, 8192)

    /// - Parameters:
    ///   - vectors: of the samples.
    ///   - threshold: the largest 1 − cos that counts.
    ///   - isCancelled: asked between blocks of pairs.
    ///   - progress: told how many samples have been compared.
    /// - Throws: `CancellationError`; ``CurationError`` for a threshold that makes one group of all.
    package static func groups(
        _ vectors: UnitVectors, threshold: Float = defaultThreshold, isCancelled: () -> Bool = { false },
        progress: (Int) -> Void = { _ in }
    ) throws -> (groups: [[Int]], nearest: [Int: Float]) {
        var sets = DisjointSets(vectors.count)
        var nearest: [Int: Float] = [:]
        let least = 1 - threshold
        for start in stride(from: 0, to: vectors.count, by: rows) {
            if isCancelled() { throw CancellationError() }
            let own = start..<min(start + rows, vectors.count)
            let block = vectors.block(own)
            // Each pair once: from here on.
            for first in stride(from: start, to: vectors.count, by: columns) {
                let others = first..<min(first + columns, vectors.count)
                let cosines = linear(block, vectors.block(others))
                let found = cosines.withValues { values in
                    Parallel.map(own.count) { row in
                        var pairs: [(Int, Int, Float)] = []
                        for column in 0..<others.count where values[row * others.count + column] >= least {
                            let (a, b) = (start + row, first + column)
                            if b > a { pairs.append((a, b, 1 - values[row * others.count + column])) }
                        }
                        return pairs
                    }
                }
                for (a, b, distance) in found.joined() {
                    sets.join(a, b)
                    nearest[a] = min(nearest[a] ?? .infinity, max(distance, 0))
                    nearest[b] = min(nearest[b] ?? .infinity, max(distance, 0))
                }
            }
            progress(own.upperBound)
        }
        let groups = sets.groups
        if threshold > defaultThreshold, groups.count == 1, groups[0].count == vectors.count, vectors.count > 2 {
            throw CurationError(
                "threshold \(threshold)", "puts all \(vectors.count) samples into one group: choose a lower one")
        }
        return (groups, nearest)
    }
}
