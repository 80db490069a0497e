import CKernels

/// The mean of (a − b)² over all elements; a scalar, shape `[]`.
package func meanSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape, "mean squared error of \(a.shape) and \(b.shape)")
    let distance =
        (a.backend ?? b.backend)?.squaredDistancePerSample(a.reshaped([1, a.count]), b.reshaped([1, b.count]))[0]
        ?? ck_squared_distance(a.pointer, b.pointer, a.count)
    let mean = distance / Double(max(a.count, 1))
    let value = Tensor(shape: [], values: [Float(mean)])
    return Tensor(value: value, parents: [a, b]) { [needsB = b.requiresGradient, a = a.detached, b = b.detached] g in
        let difference = (a - b) * (2 * g.scalar / Float(a.count))
        return [difference, needsB ? difference * -1 : nil]
    }
}

/// The mean over samples of each one's mean squared error times its weight, a scalar: with rewards as weights, the loss
/// of GORS (Huang et al., T2I-CompBench, arXiv 2307.06350).
///
/// - Parameters:
///   - a: `[N, …]`.
///   - b: `[N, …]`, of the same shape.
///   - weights: N numbers.
package func weightedMeanSquaredError(_ a: Tensor, _ b: Tensor, weights: [Float]) -> Tensor {
    precondition(a.shape == b.shape && a.shape.first == weights.count, "one weight for each sample")
    let distances = Reduction.squaredDistancePerSample(a, b)
    let sum = zip(distances, weights).reduce(0.0) { $0 + $1.0 * Double($1.1) }
    let value = Tensor(shape: [], values: [Float(sum / Double(max(a.count, 1)))])
    return Tensor(value: value, parents: [a, b]) { [needsB = b.requiresGradient, a = a.detached, b = b.detached] g in
        let scale = 2 * g.scalar / Float(a.count)
        let slope = scaleSamples(a - b, by: weights.map { scale * $0 })
        return [slope, needsB ? slope * -1 : nil]
    }
}
