/// Memory that an op is filling, on its way to becoming a tensor.
///
/// Sendable so that tiles on several threads may write disjoint parts of it.
struct Output: @unchecked Sendable {
    let shape: [Int]
    let storage: Storage

    init(_ shape: [Int]) {
        self.shape = shape
        storage = Storage(count: shape.reduce(1, *))
    }

    var pointer: UnsafeMutablePointer<Float> { storage.pointer }
    var tensor: Tensor { Tensor(shape: shape, storage: storage, node: nil) }
}

/// Scratch memory of one tile, given back to the pool at the end.
func withScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    let storage = Storage(count: count)
    return withExtendedLifetime(storage) { body(storage.pointer) }
}
