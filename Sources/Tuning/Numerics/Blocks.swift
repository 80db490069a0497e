import Tensor

/// A tensor's values for C loops on several threads. The storage of a tensor never moves, so its address holds as long
/// as the tensor does.
struct Values: @unchecked Sendable {
    let pointer: UnsafePointer<Float>
    private let tensor: Tensor

    init(_ tensor: Tensor) {
        guard let pointer = tensor.withValues({ $0.baseAddress }) else { preconditionFailure("a tensor has memory") }
        self.pointer = pointer
        self.tensor = tensor
    }
}

/// Memory that is being filled; tasks write disjoint parts of it.
struct Target: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(_ memory: UnsafeMutableBufferPointer<Float>) {
        guard let pointer = memory.baseAddress else { preconditionFailure("a tensor has memory") }
        self.pointer = pointer
        count = memory.count
    }
}

/// Runs `body` on blocks of rows or columns, on all cores; the blocks depend on the count alone.
func forEachBlock(of count: Int, size: Int = 64, _ body: (Range<Int>) -> Void) {
    Parallel.forEach((count + size - 1) / size) { block in
        body(block * size..<min(count, (block + 1) * size))
    }
}

/// What `body` gives for every index below `count`, computed on all cores.
///
/// - Parameter large: whether each is a whole computation, see `Parallel.forEachLarge`.
func parallelMap<T: Sendable>(_ count: Int, large: Bool = false, _ body: (Int) -> T) -> [T] {
    Array(unsafeUninitializedCapacity: count) { slots, initialized in
        nonisolated(unsafe) let slots = slots
        // Each index has a slot of its own.
        func fill(_ index: Int) { (slots.baseAddress.map { $0 + index })?.initialize(to: body(index)) }
        if large { Parallel.forEachLarge(count, fill) } else { Parallel.forEach(count, fill) }
        initialized = count
    }
}
