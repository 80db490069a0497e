import Synchronization

/// Memory for the frames of some chunks, filled front to back. When the last part of it is let go it is kept for the
/// next slab: a system that hands out fresh pages for every shard takes longer than compression does.
package final class Slab: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    /// Memory that nobody uses.
    private struct Free: @unchecked Sendable {
        var slabs: [UnsafeMutableRawBufferPointer] = []
    }

    /// One thread fills; what has been filled does not change.
    private var used = 0

    private static let size = 1 << 20
    private static let free = Mutex(Free())
    /// Of memory that is kept, in slabs.
    private static let most = 128

    package convenience init() { self.init(atLeast: Self.size) }

    init(atLeast size: Int) {
        let kept = size <= Self.size ? Self.free.withLock { $0.slabs.popLast() } : nil
        memory = kept ?? .allocate(byteCount: max(size, Self.size), alignment: 64)
    }

    deinit {
        let mine = Free(slabs: [memory])
        let isKept = Self.free.withLock { free in
            guard mine.slabs[0].count == Self.size, free.slabs.count < Self.most else { return false }
            free.slabs += mine.slabs
            return true
        }
        if !isKept { memory.deallocate() }
    }

    /// Bytes that are left.
    var capacity: Int { memory.count - used }

    /// Adds a part.
    ///
    /// - Parameter body: fills the space that is left and says how much of it; nil to add nothing.
    func append(_ body: (UnsafeMutableRawBufferPointer) -> Int?) -> Part? {
        guard let count = body(UnsafeMutableRawBufferPointer(rebasing: memory[used...])) else { return nil }
        defer { used += count }
        return Part(slab: self, range: used..<used + count)
    }

    /// A frame.
    package struct Part: ByteSource {
        private let slab: Slab
        private let range: Range<Int>

        fileprivate init(slab: Slab, range: Range<Int>) { (self.slab, self.range) = (slab, range) }

        package var byteCount: Int { range.count }

        package func withBytes<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
            try body(UnsafeRawBufferPointer(rebasing: slab.memory[range]))
        }
    }
}
