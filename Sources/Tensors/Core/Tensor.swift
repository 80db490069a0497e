/// An immutable array, row-major, channels last: images are `[N, H, W, C]`, token sequences `[N, L, C]`.
///
/// A tensor that depends on a parameter carries a `Node` of the closure tape; a frozen one carries none, so that
/// nothing is saved and no gradient computed for it.
///
/// ```swift
/// let weight = Tensor.parameter(Tensor(shape: [2, 2], values: [1, 2, 3, 4]))
/// let loss = meanSquaredError(matmul(Tensor(filled: 1, shape: [1, 2]), weight), Tensor(zeros: [1, 2]))
/// let gradient = gradients(of: loss, for: [weight])[0]
/// ```
package struct Tensor: Sendable {
    package let shape: [Int]
    let storage: Storage
    let node: Node?

    /// The number of elements.
    package var count: Int { storage.count }
    package var dtype: DType { storage.dtype }
    package var device: Device { storage.device }
    package var requiresGradient: Bool { node != nil }
    /// The size of the last dimension; 1 for a scalar.
    package var channels: Int { shape.last ?? 1 }
    /// How many vectors of ``channels`` values there are.
    package var rows: Int { channels == 0 ? 0 : count / channels }

    init(shape: [Int], storage: Storage, node: Node?) {
        precondition(shape.reduce(1, *) == storage.count, "shape \(shape) does not hold \(storage.count) values")
        self.shape = shape
        self.storage = storage
        self.node = node
    }

    /// Fills new memory, which `body` receives uninitialized and must fill completely.
    package init(shape: [Int], initializing body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        let storage = Storage(count: shape.reduce(1, *))
        body(UnsafeMutableBufferPointer(start: storage.pointer, count: storage.count))
        self.init(shape: shape, storage: storage, node: nil)
    }

    package init(shape: [Int], values: [Float]) {
        precondition(shape.reduce(1, *) == values.count, "shape \(shape) does not hold \(values.count) values")
        self.init(shape: shape) { _ = $0.initialize(from: values) }
    }

    package init(zeros shape: [Int]) {
        self.init(shape: shape) { $0.initialize(repeating: 0) }
    }

    package init(filled value: Float, shape: [Int]) {
        self.init(shape: shape) { $0.initialize(repeating: value) }
    }

    /// Values that live elsewhere, such as in a memory-mapped file; `owner` is kept alive as long as they are used.
    package init(borrowing pointer: UnsafePointer<Float>, shape: [Int], owner: any AnyObject & Sendable) {
        self.init(
            shape: shape, storage: Storage(borrowing: pointer, count: shape.reduce(1, *), owner: owner), node: nil)
    }

    /// The values in host memory: of a tensor on a device a copy, which waits for the device.
    package func withValues<R, E: Error>(_ body: (UnsafeBufferPointer<Float>) throws(E) -> R) throws(E) -> R {
        let host = onHost
        return try withExtendedLifetime(host) { () throws(E) -> R in
            try body(UnsafeBufferPointer(start: host.storage.pointer, count: host.count))
        }
    }

    package var values: [Float] { withValues { Array($0) } }

    /// The one value of a tensor of one element.
    package var scalar: Float {
        precondition(count == 1, "a tensor of shape \(shape) is not a scalar")
        return withValues { $0[0] }
    }

    /// For C kernels; the tensor must outlive the use, see `withExtendedLifetime`.
    var pointer: UnsafePointer<Float> { UnsafePointer(storage.pointer) }

    /// The same values under another shape.
    package func reshaped(_ newShape: [Int]) -> Tensor {
        let value = Tensor(shape: newShape, storage: storage, node: nil)
        guard node != nil else { return value }
        return Tensor(value: value, parents: [self]) { [shape] gradient in [gradient.reshaped(shape)] }
    }

    /// The same values, cut off from the tape.
    package var detached: Tensor { Tensor(shape: shape, storage: storage, node: nil) }

    /// A leaf of the tape: ``gradients(of:for:)`` can be asked for its gradient.
    package static func parameter(_ value: Tensor) -> Tensor {
        Tensor(shape: value.shape, storage: value.storage, node: Node(parents: [], vjp: nil))
    }

    /// The result of an op with its vector-Jacobian product.
    ///
    /// - Parameters:
    ///   - value: what the op computed.
    ///   - parents: its inputs; those without a node are ignored by the tape.
    ///   - vjp: from the gradient of the result to those of the parents, in order; nil where a parent needs none. It
    ///     is dropped at once, with all that it holds, when no parent requires a gradient.
    package init(value: Tensor, parents: [Tensor], vjp: @escaping @Sendable (_ gradient: Tensor) -> [Tensor?]) {
        let nodes = parents.map(\.node)
        let recorded = nodes.contains { $0 != nil } ? Node(parents: nodes, vjp: vjp) : nil
        self.init(shape: value.shape, storage: value.storage, node: recorded)
    }
}
