/// 64-bit hashes by their four 16-bit parts. Two hashes that differ in d bits differ in d/4 or fewer in one of the parts
/// (Norouzi et al., arXiv 1307.2982), so that those within a distance are found exactly, and most others never looked at.
///
/// No library: it is a hundred lines, and the indexes that exist are approximate or for vectors.
package struct HashIndex: Sendable {
    /// By part: where the hashes of each value begin in ``members``.
    private let starts: [[Int32]]
    private let members: [[Int32]]
    /// The hashes of ``members``, in their order: looking through a value's hashes is reading on, not jumping about.
    private let hashes: [[UInt64]]

    private static let parts = 4
    private static let values = 1 << 16
    /// What flips up to so many bits of a part: 1, 17 and 137 values.
    private static let masks: [[UInt16]] = {
        let bits = (0..<16).map { UInt16(1) << UInt16($0) }
        let one = [0] + bits
        let two = one + (0..<16).flatMap { first in (0..<first).map { bits[first] | bits[$0] } }
        return [[0], one, two]
    }()

    /// The largest distance that can be asked for.
    package static let farthest = 4 * masks.count - 1

    package init(_ hashes: [UInt64]) {
        precondition(hashes.count < Int(Int32.max), "\(hashes.count) hashes in one index")
        var (starts, members, ordered): ([[Int32]], [[Int32]], [[UInt64]]) = ([], [], [])
        for part in 0..<Self.parts {
            var begin = [Int32](repeating: 0, count: Self.values + 1)
            for hash in hashes { begin[Int(Self.part(part, of: hash)) + 1] += 1 }
            for value in 0..<Self.values { begin[value + 1] += begin[value] }
            var next = begin
            var sorted = [Int32](repeating: 0, count: hashes.count)
            for (index, hash) in hashes.enumerated() {
                let value = Int(Self.part(part, of: hash))
                sorted[Int(next[value])] = Int32(index)
                next[value] += 1
            }
            starts.append(begin)
            members.append(sorted)
            ordered.append(sorted.map { hashes[Int($0)] })
        }
        (self.starts, self.members, self.hashes) = (starts, members, ordered)
    }

    /// Calls `body` with each hash that differs from `hash` in `distance` bits or fewer, once.
    package func forEach(near hash: UInt64, within distance: Int, _ body: (_ index: Int) -> Void) {
        precondition(distance <= Self.farthest, "distances up to \(Self.farthest) are indexed")
        let radius = distance / Self.parts
        let masks = Self.masks[radius]
        for part in 0..<Self.parts {
            let own = Self.part(part, of: hash)
            starts[part].withUnsafeBufferPointer { starts in
                hashes[part].withUnsafeBufferPointer { hashes in
                    for mask in masks {
                        let value = Int(own ^ mask)
                        for place in Int(starts[value])..<Int(starts[value + 1]) {
                            let difference = hashes[place] ^ hash
                            guard difference.nonzeroBitCount <= distance else { continue }
                            // An earlier part has found it already.
                            let isFirst = (0..<part).allSatisfy {
                                Self.part($0, of: difference).nonzeroBitCount > radius
                            }
                            if isFirst { body(Int(members[part][place])) }
                        }
                    }
                }
            }
        }
    }

    private static func part(_ part: Int, of hash: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: hash >> (16 * part)) }
}
