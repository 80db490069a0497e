import CKernels
import Synchronization

import Glibc

/// Freed buffers kept by size, so that a network's activations reuse warm pages instead of asking the kernel for new
/// ones at every step.
///
/// Each thread has a shelf of its own for small buffers, as tiles take theirs at the same time; large ones are on one that all share.
///
/// What no op asks for any more does not stay: before new memory is taken from the system, the buffers that have been
/// free for longest go back to it.
enum BufferPool {
    private struct FreeBuffer {
        let address: UInt
        /// When it was given back, counted in buffers.
        let time: Int
    }

    private struct Shelf: ~Copyable {
        /// By size, each the latest last.
        private var free: [Int: [FreeBuffer]] = [:]
        private var heldBytes = 0
        private var clock = 0
        /// Bytes in use, and the most that ever were.
        private var (usedBytes, peakBytes) = (0, 0)

        mutating func use(_ byteCount: Int) {
            usedBytes += byteCount
            peakBytes = max(peakBytes, usedBytes)
        }

        /// How much may stay free, so that nothing is held beyond what was once in use and a little more: a step of training
        /// frees nearly all that it took, and the next takes it again.
        var allowance: Int { min(peakBytes, ceilingBytes) + slackBytes - usedBytes }

        mutating func add(_ address: UInt, _ byteCount: Int) {
            clock += 1
            usedBytes -= byteCount
            heldBytes += byteCount
            free[byteCount, default: []].append(FreeBuffer(address: address, time: clock))
        }

        /// Whether there was room for it: less than ``smallBytes`` are held.
        mutating func keep(_ address: UInt, _ byteCount: Int) -> Bool {
            guard heldBytes + byteCount <= smallBytes else { return false }
            add(address, byteCount)
            return true
        }

        /// A buffer of just this size, or of up to twice as much where new pages would be expensive.
        mutating func pop(_ byteCount: Int) -> (address: UInt, byteCount: Int)? {
            if let address = popExactly(byteCount) { return (address, byteCount) }
            guard byteCount >= hugePage else { return nil }
            let fitting = free.filter { $0.key > byteCount && $0.key <= 2 * byteCount && !$0.value.isEmpty }
            guard let size = fitting.keys.min() else { return nil }
            return popExactly(size).map { ($0, size) }
        }

        private mutating func popExactly(_ byteCount: Int) -> UInt? {
            guard let address = free[byteCount]?.popLast()?.address else { return nil }
            heldBytes -= byteCount
            return address
        }

        /// Takes out the large buffers that were given back first, until at most `bytes` are held.
        mutating func removeOldest(keeping bytes: Int) -> [UInt] {
            var removed: [UInt] = []
            while heldBytes > bytes {
                let large = free.filter { $0.key >= hugePage && !$0.value.isEmpty }
                let oldest = large.min { ($0.value.first?.time ?? 0) < ($1.value.first?.time ?? 0) }
                guard let size = oldest?.key, let buffer = oldest?.value.first else { break }
                free[size]?.removeFirst()
                heldBytes -= size
                removed.append(buffer.address)
            }
            return removed
        }
    }

    /// Of one thread, or of a few where there are more threads than shelves.
    private final class SmallShelf: Sendable {
        let shelf = Mutex(Shelf())
    }

    private static let shelf = Mutex(Shelf())
    private static let smallShelves = (0..<64).map { _ in SmallShelf() }
    private static var ownShelf: SmallShelf { smallShelves[Int(ck_parallel_number()) % smallShelves.count] }
    private static let hugePage = 2 << 20
    /// Past this, small buffers that a thread frees go back to the system.
    private static let smallBytes = 256 << 20
    /// Past this, freed buffers go back to the system.
    private static let capacityBytes = 768 << 20
    /// No more than this stays free when new memory is needed and as much is in use as ever.
    private static let slackBytes = 256 << 20
    /// What was once in use counts up to here.
    private static let ceilingBytes = 4 << 30

    /// Sizes are rounded to a power of two below 1 MiB, and within 1/32 above, where weights would add up to hundreds
    /// of megabytes of nothing.
    private static func roundedByteCount(_ byteCount: Int) -> Int {
        let least = max(byteCount, 64)
        let power = 1 << (Int.bitWidth - (least - 1).leadingZeroBitCount)
        guard power > 1 << 20 else { return power }
        let grain = power / 64
        return (least + grain - 1) / grain * grain
    }

    /// At least `byteCount` bytes, and how many they are.
    static func take(_ byteCount: Int) -> (pointer: UnsafeMutableRawPointer, byteCount: Int) {
        let byteCount = roundedByteCount(byteCount)
        if byteCount < hugePage {
            let address = ownShelf.shelf.withLock { $0.pop(byteCount)?.address }
            return (address.flatMap { UnsafeMutableRawPointer(bitPattern: $0) } ?? allocate(byteCount), byteCount)
        }
        let (reused, stale) = shelf.withLock { shelf -> ((address: UInt, byteCount: Int)?, [UInt]) in
            if let found = shelf.pop(byteCount) {
                shelf.use(found.byteCount)
                return (found, [])
            }
            shelf.use(byteCount)
            return (nil, byteCount >= hugePage ? shelf.removeOldest(keeping: max(shelf.allowance, slackBytes)) : [])
        }
        release(stale)
        if let reused, let pointer = UnsafeMutableRawPointer(bitPattern: reused.address) {
            return (pointer, reused.byteCount)
        }
        return (allocate(byteCount), byteCount)
    }

    /// Large buffers lie on huge pages where the system has them: faulting in small ones costs as much as filling them.
    private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= hugePage else {
            return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        }
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        madvise(pointer, byteCount, MADV_HUGEPAGE)
        return pointer
    }

    static func give(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        if byteCount < hugePage {
            // One thread may give back what another has taken.
            let isKept = ownShelf.shelf.withLock { $0.keep(UInt(bitPattern: pointer), byteCount) }
            if !isKept { pointer.deallocate() }
            return
        }
        let stale = shelf.withLock { shelf in
            shelf.add(UInt(bitPattern: pointer), byteCount)
            return shelf.removeOldest(keeping: max(shelf.allowance, capacityBytes))
        }
        release(stale)
    }

    private static func release(_ addresses: [UInt]) {
        for address in addresses { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }
}
