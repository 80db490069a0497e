/// What a tensor's values are.
package enum DType: String, Sendable, Hashable {
    case float32
    /// On devices only.
    case bfloat16
    /// On devices only.
    case float16

    /// Bytes of one value.
    package var byteCount: Int {
        switch self {
        case .float32: 4
        case .bfloat16, .float16: 2
        }
    }
}

/// The memory of a tensor's values: owned and pooled, borrowed from something that keeps it alive (a memory map), or held by
/// a back end.
///
/// Sendable because nobody writes to it after the initializer that made it has returned.
final class Storage: @unchecked Sendable {
    let dtype: DType
    let device: Device
    /// The number of values.
    let count: Int
    /// What a back end holds; nil in host memory.
    let remote: (any RemoteMemory)?
    private let memory: UnsafeMutableRawPointer?
    private let owner: (any AnyObject & Sendable)?
    /// What the pool gets back; 0 for memory that is borrowed.
    private let pooledBytes: Int

    /// Uninitialized, 64-byte aligned, in host memory.
    init(count: Int) {
        (self.count, dtype, device) = (count, .float32, .cpu)
        let taken = BufferPool.take(count * DType.float32.byteCount)
        (memory, pooledBytes) = (taken.pointer, taken.byteCount)
        (owner, remote) = (nil, nil)
    }

    /// Values in host memory that `owner` keeps there.
    init(borrowing pointer: UnsafePointer<Float>, count: Int, owner: any AnyObject & Sendable) {
        (self.count, dtype, device) = (count, .float32, .cpu)
        memory = UnsafeMutableRawPointer(mutating: pointer)
        self.owner = owner
        (pooledBytes, remote) = (0, nil)
    }

    /// Values that a back end holds.
    init(_ remote: any RemoteMemory, count: Int, dtype: DType) {
        (self.count, self.dtype, device) = (count, dtype, remote.backend.device)
        self.remote = remote
        (memory, owner, pooledBytes) = (nil, nil, 0)
    }

    /// The values for a loop of CKernels, which takes float32 in host memory and nothing else.
    var pointer: UnsafeMutablePointer<Float> {
        guard let memory else {
            preconditionFailure("a CPU loop takes float32 in host memory, not \(dtype) on \(device)")
        }
        return memory.assumingMemoryBound(to: Float.self)
    }

    deinit {
        if let memory, owner == nil { BufferPool.give(memory, pooledBytes) }
    }
}
