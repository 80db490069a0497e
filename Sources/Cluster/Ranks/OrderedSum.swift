/// The sum of microbatches' gradients, to the last bit that of one process that computes them all.
///
/// Floating-point addition depends on its order, so what ranks have added up alone would give other bits for every number
/// of them. Here each number is added up by one rank, over the microbatches in their order: of the first microbatch every
/// rank gets its slice, then of the second, and so on, and at the end the slices are put together. A rank sends and receives
/// what it would in a reduction of all microbatches: each gradient once, and the sum once.
package struct OrderedSum {
    private let group: any RankGroup
    /// Numbers of each bucket, which is exchanged at a time; the gradients one after the other.
    private let buckets: [Range<Int>]
    private let lengths: [Int]
    private var slices: [[Float]] = []

    /// Numbers up to which gradients share a bucket: a message for each small tensor would cost its latency.
    package static let bucket = 1 << 22

    /// - Parameters:
    ///   - group: the ranks that add.
    ///   - lengths: numbers of each gradient.
    package init(_ group: any RankGroup, lengths: [Int]) {
        (self.group, self.lengths) = (group, lengths)
        buckets = Self.buckets(lengths)
    }

    /// Gradients that follow each other, in buckets; one that is larger has a bucket of its own.
    static func buckets(_ lengths: [Int]) -> [Range<Int>] {
        var (buckets, start, filled): ([Range<Int>], Int, Int) = ([], 0, 0)
        for (index, length) in lengths.enumerated() {
            if index > start, filled + length > bucket {
                buckets.append(start..<index)
                (start, filled) = (index, 0)
            }
            filled += length
        }
        if start < lengths.count { buckets.append(start..<lengths.count) }
        return buckets
    }

    /// The rank that computes a microbatch.
    package static func owner(ofMicrobatch index: Int, of group: any RankGroup) -> Int { index % group.size }

    /// Adds the next microbatch's gradients, in their order on all ranks.
    ///
    /// - Parameters:
    ///   - gradients: gives gradient i's numbers; asked on `owner` alone.
    ///   - owner: who has computed them.
    package mutating func add(from owner: Int, gradients: (Int) -> [Float]) throws(RankError) {
        let isFirst = slices.isEmpty
        for (place, bucket) in buckets.enumerated() {
            let values = group.rank == owner ? bucket.flatMap(gradients) : []
            let slice = try group.scatter(values, bounds: bounds(of: bucket), from: owner)
            if isFirst {
                slices.append(slice)
            } else {
                for index in slice.indices { slices[place][index] += slice[index] }
            }
        }
    }

    /// The sum of all that was added, as gradients.
    package func total() throws(RankError) -> [[Float]] {
        var gradients: [[Float]] = []
        for (place, bucket) in buckets.enumerated() {
            let values = try group.join(slices[place], bounds: bounds(of: bucket))
            var start = 0
            for index in bucket {
                gradients.append(Array(values[start..<start + lengths[index]]))
                start += lengths[index]
            }
        }
        return gradients
    }

    private func bounds(of bucket: Range<Int>) -> [Int] {
        let count = bucket.reduce(0) { $0 + lengths[$1] }
        return (0...group.size).map { count * $0 / group.size }
    }
}
