/// What a tensor's values are.
package enum DType: Sendable, Hashable {
    case float32

    /// Bytes of one value.
    package var byteCount: Int {
        switch self {
        case .float32: 4
        }
    }
}

/// Where a tensor's values are, and who computes with them.
package enum Device: Sendable, Hashable {
    /// Host memory and the loops of CKernels.
    case cpu
}

/// The memory of a tensor's values: owned and pooled, or borrowed from something that keeps it alive (a memory map).
///
/// Sendable because nobody writes to it after the initializer that made it has returned.
final class Storage: @unchecked Sendable {
    let dtype: DType
    let device: Device
    /// The number of values.
    let count: Int
    private let memory: UnsafeMutableRawPointer
    private let owner: (any AnyObject & Sendable)?
    /// What the pool gets back; 0 for memory that is borrowed.
    private let pooledBytes: Int

    /// Uninitialized, 64-byte aligned.
    init(count: Int, dtype: DType = .float32, device: Device = .cpu) {
        (self.count, self.dtype, self.device) = (count, dtype, device)
        switch device {
        case .cpu: (memory, pooledBytes) = BufferPool.take(count * dtype.byteCount)
        }
        owner = nil
    }

    /// Values in host memory that `owner` keeps there.
    init(borrowing pointer: UnsafePointer<Float>, count: Int, owner: any AnyObject & Sendable) {
        (self.count, dtype, device) = (count, .float32, .cpu)
        memory = UnsafeMutableRawPointer(mutating: pointer)
        self.owner = owner
        pooledBytes = 0
    }

    /// The values for a loop of CKernels, which takes float32 in host memory and nothing else.
    var pointer: UnsafeMutablePointer<Float> {
        precondition(
            dtype == .float32 && device == .cpu, "a CPU loop takes float32 in host memory, not \(dtype) on \(device)")
        return memory.assumingMemoryBound(to: Float.self)
    }

    deinit {
        if owner == nil { BufferPool.give(memory, pooledBytes) }
    }
}
