import CBytePlanes

/// The bytes of 4-byte numbers, all first ones before all second ones and so on: HDF5's shuffle filter.
struct BytePlanes {
    static let count = 4
    /// One per byte of the numbers, all of one length. Where they lie is up to the caller.
    private let planes: [UnsafeRawBufferPointer]

    /// - Parameter planes: four, of one length.
    init(_ planes: [UnsafeRawBufferPointer]) {
        precondition(planes.count == Self.count && planes.allSatisfy { $0.count == planes[0].count })
        self.planes = planes
    }

    /// - Parameter bytes: the planes end to end.
    init(_ bytes: UnsafeRawBufferPointer) {
        let size = bytes.count / Self.count
        self.init((0..<Self.count).map { UnsafeRawBufferPointer(rebasing: bytes[size * $0..<size * ($0 + 1)]) })
    }

    /// - Parameter memory: as many bytes, which the planes are put into.
    init(splitting bytes: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count == bytes.count)
        if let source = bytes.bindMemory(to: UInt8.self).baseAddress,
            let target = memory.bindMemory(to: UInt8.self).baseAddress
        {
            cbp_split(source, target, bytes.count / Self.count)
        }
        self.init(UnsafeRawBufferPointer(memory))
    }

    /// The bytes of a number, from its first in memory to its last.
    subscript(_ index: Int) -> UnsafeRawBufferPointer { planes[index] }

    /// - Parameter target: takes the numbers.
    func join(into target: UnsafeMutableRawBufferPointer) {
        func start(_ index: Int) -> UnsafePointer<UInt8>? { planes[index].bindMemory(to: UInt8.self).baseAddress }
        guard let first = start(0), let second = start(1), let third = start(2), let fourth = start(3),
            let numbers = target.bindMemory(to: UInt8.self).baseAddress
        else { return }
        cbp_join(first, second, third, fourth, numbers, min(planes[0].count, target.count / Self.count))
    }

    /// The planes whose bytes are so unevenly spread that a Huffman code makes them smaller.
    var shrinking: [Int] { planes.indices.filter { Self.shrinks(planes[$0]) } }

    /// Bytes of a plane that are looked at.
    private static let sample = 1024

    /// Pearson's χ² of some bytes against an even spread. For random bytes it is 255 ± 23; a plane that a code could
    /// make smaller by a hundredth has more than the limit, which is five deviations off.
    private static func shrinks(_ plane: UnsafeRawBufferPointer) -> Bool {
        let looked = min(plane.count, sample)
        guard looked > 0 else { return false }
        let step = plane.count / looked
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: 256) { counts in
            counts.initialize(repeating: 0)
            for index in 0..<looked { counts[Int(plane[index * step])] += 1 }
            let squares = counts.reduce(0) { $0 + Int($1) * Int($1) }
            // χ² = Σ(c − e)²/e with e = n/256.
            return 256 * squares / looked - looked > 255 + 5 * 23
        }
    }
}
