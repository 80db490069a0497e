import Synchronization

/// Scratch buffers and contexts of zstd: making new ones for each chunk costs as much as the chunk.
final class ScratchPool: Sendable {
    static let shared = ScratchPool()
    private let free = Mutex<[Scratch]>([])

    /// Lends one to `body`, which runs on one thread.
    func with<R, E: Error>(_ body: (Scratch) throws(E) -> R) throws(E) -> R {
        let scratch = free.withLock { $0.popLast() } ?? Scratch()
        defer { free.withLock { if $0.count < 64 { $0.append(scratch) } } }
        return try body(scratch)
    }
}

/// In use by one thread at a time, which is why it may be sent between them.
final class Scratch: @unchecked Sendable {
    let compressor = ZstdCompressor()
    let decompressor = ZstdDecompressor()
    /// A chunk as it is in the file.
    let stored = Buffer()
    /// A chunk's bytes in planes, or one of the planes.
    let plain = Buffer()
    /// A frame of one plane.
    let frame = Buffer()

    /// Memory that grows.
    final class Buffer {
        private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

        deinit { memory.deallocate() }

        /// - Returns: that many bytes, which hold anything.
        func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
            if memory.count < count {
                memory.deallocate()
                memory = .allocate(byteCount: max(count, 4096), alignment: 64)
            }
            return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        }
    }
}
