import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Freed buffers kept by size, so that a network's activations reuse warm pages instead of asking the kernel for new
/// ones at every step.
enum BufferPool {
    private struct Shelf: ~Copyable {
        var free: [Int: [UInt]] = [:]
        var heldBytes = 0
    }

    private static let shelf = Mutex(Shelf())
    /// Past this, freed buffers go back to the system.
    private static let capacityBytes = 1 << 30

    /// Sizes are rounded to a power of two below 1 MiB, and to 1/8 of the next power above, so that shapes which differ
    /// a little share buffers.
    static func roundedByteCount(_ byteCount: Int) -> Int {
        let least = max(byteCount, 64)
        let power = 1 << (Int.bitWidth - (least - 1).leadingZeroBitCount)
        guard power > 1 << 20 else { return power }
        let grain = power / 16
        return (least + grain - 1) / grain * grain
    }

    static func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let reused = shelf.withLock { shelf -> UInt? in
            guard let address = shelf.free[byteCount]?.popLast() else { return nil }
            shelf.heldBytes -= byteCount
            return address
        }
        if let reused, let pointer = UnsafeMutableRawPointer(bitPattern: reused) { return pointer }
        return allocate(byteCount)
    }

    /// Large buffers lie on huge pages where the system has them: faulting in small ones costs as much as filling them.
    private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let hugePage = 2 << 20
        guard byteCount >= hugePage else {
            return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        }
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        #if os(Linux)
            madvise(pointer, byteCount, MADV_HUGEPAGE)
        #endif
        return pointer
    }

    static func give(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        let kept = shelf.withLock { shelf in
            guard shelf.heldBytes + byteCount <= capacityBytes else { return false }
            shelf.free[byteCount, default: []].append(UInt(bitPattern: pointer))
            shelf.heldBytes += byteCount
            return true
        }
        if !kept { pointer.deallocate() }
    }

    /// Returns every held buffer to the system.
    static func drain() {
        let addresses = shelf.withLock { shelf in
            let all = shelf.free.values.flatMap { $0 }
            shelf.free = [:]
            shelf.heldBytes = 0
            return all
        }
        for address in addresses { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }
}

/// Memory of float32 values: owned and pooled, or borrowed from something that keeps it alive (a memory map).
///
/// Sendable because nobody writes to it after the initialiser that made it has returned.
final class Storage: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int
    private let owner: (any AnyObject & Sendable)?
    private let byteCount: Int

    /// Uninitialised, 64-byte aligned.
    init(count: Int) {
        self.count = count
        byteCount = BufferPool.roundedByteCount(count * MemoryLayout<Float>.stride)
        pointer = BufferPool.take(byteCount).bindMemory(to: Float.self, capacity: max(count, 1))
        owner = nil
    }

    init(borrowing pointer: UnsafePointer<Float>, count: Int, owner: any AnyObject & Sendable) {
        self.pointer = UnsafeMutablePointer(mutating: pointer)
        self.count = count
        self.owner = owner
        byteCount = 0
    }

    deinit {
        if owner == nil { BufferPool.give(UnsafeMutableRawPointer(pointer), byteCount) }
    }
}
