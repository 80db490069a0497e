/// A block of which only inputs and output are kept; its inside is computed again when gradients are asked for.
///
/// Unlike other nodes it hands gradients to leaves that it finds on the way (parameters that the block captured), which
/// is why it is not a plain vjp over parents.
final class CheckpointNode: Node, @unchecked Sendable {
    private let inputs: [Tensor]
    private let body: @Sendable ([Tensor]) -> Tensor
    private let kept: [[Tensor]]

    init(inputs: [Tensor], kept: [[Tensor]], body: @escaping @Sendable ([Tensor]) -> Tensor) {
        self.inputs = inputs
        self.kept = kept
        self.body = body
        super.init(parents: inputs.map(\.node), vjp: { _ in [] })
    }

    /// Reruns the block and returns gradients for the nodes of its inputs and for the leaves inside.
    func leafGradients(_ gradient: Tensor) -> [(Node, Tensor)] {
        let fresh = inputs.map { $0.requiresGradient ? Tensor.parameter($0.detached) : $0 }
        var outer: [UInt64: Node] = [:]
        for (input, copy) in zip(inputs, fresh) {
            if let node = input.node, let stand = copy.node { outer[stand.number] = node }
        }
        let output = KeptResults.$current.withValue(KeptResults(replaying: kept)) { body(fresh) }
        return runBackwards(from: [(output, gradient: gradient)]).map {
            (outer[$0.leaf.number] ?? $0.leaf, $0.gradient)
        }
    }
}

/// What ops inside a checkpointed block save because it is small and expensive to compute, such as the result of
/// attention: the rerun takes it in the order in which it was made.
final class KeptResults: @unchecked Sendable {
    /// A block runs on one thread, which alone uses this.
    @TaskLocal static var current: KeptResults?

    private(set) var results: [[Tensor]] = []
    private var replayed: Int?

    init() {}
    init(replaying results: [[Tensor]]) { (self.results, replayed) = (results, 0) }

    /// What `make` gives, or gave when the block ran for the first time.
    static func keeping(_ make: () -> [Tensor]) -> [Tensor] {
        guard let current else { return make() }
        if let index = current.replayed {
            current.replayed = index + 1
            return current.results[index]
        }
        let made = make()
        current.results.append(made)
        return made
    }
}

/// Gradient checkpointing (Chen et al., arXiv 1604.06174): the forward pass keeps nearly no intermediate of `body`, the
/// backward pass runs it again.
///
/// - Parameters:
///   - inputs: everything that `body` computes from and that changes from call to call. Parameters that it captures
///     receive their gradients too.
///   - body: must compute the same thing when it is run again.
package func checkpoint(_ inputs: [Tensor], _ body: @escaping @Sendable ([Tensor]) -> Tensor) -> Tensor {
    let kept = KeptResults()
    let output = KeptResults.$current.withValue(kept) { body(inputs) }
    guard output.requiresGradient else { return output }
    return Tensor(
        shape: output.shape, storage: output.storage,
        node: CheckpointNode(inputs: inputs, kept: kept.results, body: body))
}
