import CZstd
import Synchronization

/// Contexts of zstd and buffers beside them: making them anew for each chunk costs as much as the chunk.
final class ScratchPool: Sendable {
    static let shared = ScratchPool()
    private let free = Mutex<[Scratch]>([])

    func take() -> Scratch { free.withLock { $0.popLast() } ?? Scratch() }

    func give(_ scratch: Scratch) {
        free.withLock { if $0.count < 64 { $0.append(scratch) } }
    }
}

/// In use by one thread at a time, which is why it may be sent between them.
final class Scratch: @unchecked Sendable {
    let compressor = ZSTD_createCCtx()
    let decompressor = ZSTD_createDCtx()
    private var buffers: [UnsafeMutableRawBufferPointer] = [.init(start: nil, count: 0), .init(start: nil, count: 0)]

    deinit {
        ZSTD_freeCCtx(compressor)
        ZSTD_freeDCtx(decompressor)
        for buffer in buffers { buffer.deallocate() }
    }

    func stored(_ count: Int) -> UnsafeMutableRawBufferPointer { buffer(0, count) }
    func plain(_ count: Int) -> UnsafeMutableRawBufferPointer { buffer(1, count) }

    private func buffer(_ index: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
        if buffers[index].count < count {
            buffers[index].deallocate()
            buffers[index] = .allocate(byteCount: max(count, 4096), alignment: 64)
        }
        return UnsafeMutableRawBufferPointer(rebasing: buffers[index][..<count])
    }
}
