import CKernels

/// The mean of (a − b)² over all elements; a scalar, shape `[]`.
package func meanSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape, "mean squared error of \(a.shape) and \(b.shape)")
    let mean = ck_squared_distance(a.pointer, b.pointer, a.count) / Double(max(a.count, 1))
    let value = Tensor(shape: [], values: [Float(mean)])
    return Tensor(value: value, parents: [a, b]) { [needsB = b.requiresGradient, a = a.detached, b = b.detached] g in
        let difference = (a - b) * (2 * g.scalar / Float(a.count))
        return [difference, needsB ? difference * -1 : nil]
    }
}
