package import Tensor

/// The mean over samples of each one's mean squared error times its weight, a scalar: with rewards as weights, the loss
/// of GORS (Huang et al., T2I-CompBench, arXiv 2307.06350).
///
/// - Parameters:
///   - a: [N, …], as is `b`.
///   - weights: N numbers.
package func weightedMeanSquaredError(_ a: Tensor, _ b: Tensor, weights: [Float]) -> Tensor {
    precondition(a.shape == b.shape && a.shape.first == weights.count, "one weight for each sample")
    let size = a.count / max(weights.count, 1)
    let distances = Reduction.squaredDistancePerSample(a, b)
    let sum = zip(distances, weights).reduce(0.0) { $0 + $1.0 * Double($1.1) }
    let value = Tensor(shape: [], values: [Float(sum / Double(max(a.count, 1)))])
    return Tensor(value: value, parents: [a, b]) {
        [needsB = b.requiresGradient, a = a.detached, b = b.detached] gradient in
        let scale = 2 * gradient.values[0] / Float(a.count)
        let slope = Tensor(shape: a.shape) { out in
            a.withValues { a in
                b.withValues { b in
                    for (sample, weight) in weights.enumerated() {
                        for index in sample * size..<(sample + 1) * size {
                            out[index] = scale * weight * (a[index] - b[index])
                        }
                    }
                }
            }
        }
        return [slope, needsB ? slope * -1 : nil]
    }
}
