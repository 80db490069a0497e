import Synchronization

/// One recorded op; immutable, hence Sendable. Its number grows in the order of recording, which is a topological order.
class Node: @unchecked Sendable {
    typealias VJP = @Sendable (Tensor) -> [Tensor?]

    private static let counter = Atomic<UInt64>(0)

    let number: UInt64
    let parents: [Node?]
    /// Nil for a leaf.
    let vjp: VJP?

    init(parents: [Node?], vjp: VJP?) {
        number = Self.counter.add(1, ordering: .relaxed).newValue
        self.parents = parents
        self.vjp = vjp
    }
}

/// Gradients that wait for their node, the latest recorded first.
struct PendingGradients {
    private var gradients: [UInt64: (node: Node, gradient: Tensor)] = [:]
    private var heap: [UInt64] = []

    mutating func add(_ gradient: Tensor, to node: Node) {
        if let present = gradients[node.number] {
            gradients[node.number] = (node, present.gradient + gradient)
        } else {
            gradients[node.number] = (node, gradient)
            push(node.number)
        }
    }

    mutating func popLatest() -> (node: Node, gradient: Tensor)? {
        guard let number = pop() else { return nil }
        return gradients.removeValue(forKey: number)
    }

    private mutating func push(_ number: UInt64) {
        heap.append(number)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2] < heap[child] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() -> UInt64? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var parent = 0
        while true {
            var largest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] > heap[largest] {
                largest = child
            }
            if largest == parent { return top }
            heap.swapAt(parent, largest)
            parent = largest
        }
    }
}

/// Runs the tape backwards from `outputs` and returns what reached the leaves.
func runBackwards(from outputs: [(Tensor, gradient: Tensor)]) -> [(leaf: Node, gradient: Tensor)] {
    var pending = PendingGradients()
    var leaves: [(leaf: Node, gradient: Tensor)] = []
    for (output, gradient) in outputs {
        if let node = output.node { pending.add(gradient, to: node) }
    }
    while let (node, gradient) = pending.popLatest() {
        guard let vjp = node.vjp else {
            leaves.append((node, gradient))
            continue
        }
        if let rerun = node as? CheckpointNode {
            for (leaf, gradient) in rerun.leafGradients(gradient) { pending.add(gradient, to: leaf) }
            continue
        }
        for (parent, gradient) in zip(node.parents, vjp(gradient)) {
            if let parent, let gradient { pending.add(gradient, to: parent) }
        }
    }
    return leaves
}

/// The gradients of a scalar with respect to parameters; zeros for a parameter that the scalar does not depend on.
package func gradients(of loss: Tensor, for parameters: [Tensor]) -> [Tensor] {
    precondition(loss.count == 1, "only a scalar has a gradient, not a tensor of shape \(loss.shape)")
    let one = Tensor(filled: 1, shape: loss.shape)
    let reached = Dictionary(
        uniqueKeysWithValues: runBackwards(from: [(loss, gradient: one)]).map { ($0.leaf.number, $0.gradient) })
    return parameters.map { parameter in
        parameter.node.flatMap { reached[$0.number]?.moved(to: parameter.device, as: parameter.dtype) }
            ?? Tensor(zeros: parameter.shape)
    }
}
