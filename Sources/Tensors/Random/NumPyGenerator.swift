import CKernels

/// The generator behind `numpy.random.RandomState`: the same seed picks the same rows.
package struct NumPyGenerator: Sendable {
    private var engine = ck_mt19937()

    package init(seed: UInt32) { ck_mt19937_seed(&engine, seed) }

    /// `choice(count, size, replace=False)`: `size` different indices below `count`.
    package mutating func choice(_ count: Int, _ size: Int) -> ArraySlice<Int> {
        precondition(size <= count && count <= Int(UInt32.max), "\(size) of \(count)")
        var indices = Array(0..<count)
        for index in stride(from: count - 1, to: 0, by: -1) { indices.swapAt(index, integer(through: index)) }
        return indices.prefix(size)
    }

    /// A number from 0 through `limit`: bits are drawn until they fit.
    private mutating func integer(through limit: Int) -> Int {
        let mask = UInt32.max >> UInt32(limit).leadingZeroBitCount
        while true {
            let value = Int(ck_mt19937_next(&engine) & mask)
            if value <= limit { return value }
        }
    }
}
