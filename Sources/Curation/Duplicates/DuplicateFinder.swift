import Tensors

/// Finds near-duplicates among images by their prints: perceptual hashes propose pairs, the thumbnails decide.
///
/// ```swift
/// let groups = try DuplicateFinder().groups(images.map { ImagePrint($0) }).groups
/// ```
package struct DuplicateFinder: Sendable {
    /// Largest distance of ``PrintComparison`` that counts as a near-duplicate.
    package var threshold: Float = 0.21
    /// Images of one round of the search; what is kept of the pairs does not grow beyond one.
    private static let round = 4096
    /// Bits that hashes of the whole, and of parts, may differ in. JPEG, scaling and colors change the first; a crop's own
    /// hash is nearly that of the part.
    private static let (wholeBits, partBits) = (HashIndex.farthest, 7)

    /// Below this contrast, hashes are noise: such images are compared with each other whatever their hashes say.
    private static let flatContrast: Float = 16

    package static let thresholds: ClosedRange<Float> = 0...1.4

    package init() {}

    /// Groups of near-duplicates.
    ///
    /// - Parameters:
    ///   - prints: of the images.
    ///   - isCancelled: asked between rounds.
    ///   - progress: told how many images have been looked up.
    /// - Returns: the groups by places in `prints`, and for each image the smallest distance to another one of its group.
    /// - Throws: `CancellationError`; ``CurationError`` for a threshold above the default that makes one group of all.
    package func groups(
        _ prints: [ImagePrint], isCancelled: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
    ) throws -> (groups: [[Int]], nearest: [Int: Float]) {
        var sets = DisjointSets(prints.count)
        var nearest: [Int: Float] = [:]
        // The same print again and again would make pairs beyond number.
        var firsts: [ImagePrintKey: Int] = [:]
        var distinct: [Int] = []
        for (index, print) in prints.enumerated() {
            if let first = firsts[ImagePrintKey(print)] {
                sets.join(first, index)
                (nearest[first], nearest[index]) = (0, 0)
            } else {
                firsts[ImagePrintKey(print)] = index
                distinct.append(index)
            }
        }
        firsts = [:]
        let index = HashIndex(distinct.map { prints[$0].hashes[0] })
        let flat = distinct.indices.filter { prints[distinct[$0]].contrast < Self.flatContrast }
        for start in stride(from: 0, to: distinct.count, by: Self.round) {
            if isCancelled() { throw CancellationError() }
            let places = start..<min(start + Self.round, distinct.count)
            let known = sets
            let found = Parallel.map(places.count) { offset in
                pairs(of: places.lowerBound + offset, distinct, prints, index, flat, known)
            }
            for pair in found.joined() {
                sets.join(pair.first, pair.second)
                nearest[pair.first] = min(nearest[pair.first] ?? .infinity, pair.distance)
                nearest[pair.second] = min(nearest[pair.second] ?? .infinity, pair.distance)
            }
            progress(prints.count * places.upperBound / distinct.count)
        }
        let groups = sets.groups
        if threshold > Self().threshold, groups.count == 1, groups[0].count == prints.count, prints.count > 2 {
            throw CurationError(
                "threshold \(threshold)", "puts all \(prints.count) images into one group: choose a lower one")
        }
        return (groups, nearest)
    }

    private struct Pair: Sendable {
        let first, second: Int
        let distance: Float
    }

    /// The near-duplicates of one image.
    private func pairs(
        of place: Int, _ distinct: [Int], _ prints: [ImagePrint], _ index: HashIndex, _ flat: [Int],
        _ known: DisjointSets
    ) -> [Pair] {
        let own = distinct[place]
        var candidates: Set<Int> = []
        for (number, hash) in prints[own].hashes.enumerated() {
            index.forEach(near: hash, within: number < 2 ? Self.wholeBits : Self.partBits) { other in
                // Hashes of parts find in one direction only.
                if other < place || (other != place && number >= 2) { candidates.insert(other) }
            }
        }
        if prints[own].contrast < Self.flatContrast { candidates.formUnion(flat.prefix { $0 < place }) }
        guard !candidates.isEmpty else { return [] }
        let comparison = PrintComparison(prints[own])
        let root = known.root(own)
        var pairs: [Pair] = []
        for candidate in candidates.sorted() {
            let other = distinct[candidate]
            if known.root(other) == root { continue }
            let distance = comparison.distance(to: PrintComparison(prints[other]), limit: 0)
            if distance <= threshold {
                pairs.append(Pair(first: min(own, other), second: max(own, other), distance: distance))
            }
        }
        return pairs
    }
}

/// A print as a key.
private struct ImagePrintKey: Hashable {
    private let hashes: [UInt64]
    private let luma, chroma: [UInt8]

    init(_ print: ImagePrint) { (hashes, luma, chroma) = (print.hashes, print.luma, print.chroma) }
}
