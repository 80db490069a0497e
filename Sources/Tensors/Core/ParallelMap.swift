extension Parallel {
    /// What `body` gives for every index below `count`, computed on all cores.
    ///
    /// - Parameters:
    ///   - count: the number of indices.
    ///   - large: whether each is a whole computation, see ``forEachLarge(_:_:)``.
    ///   - body: called once for each index, from any thread.
    package static func map<T: Sendable>(_ count: Int, large: Bool = false, _ body: (Int) -> T) -> [T] {
        Array(unsafeUninitializedCapacity: count) { slots, initialized in
            nonisolated(unsafe) let slots = slots
            // Each index has a slot of its own.
            func fill(_ index: Int) { (slots.baseAddress.map { $0 + index })?.initialize(to: body(index)) }
            if large { forEachLarge(count, fill) } else { forEach(count, fill) }
            initialized = count
        }
    }
}
