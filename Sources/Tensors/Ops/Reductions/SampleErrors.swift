/// A loss that is a function of the mean squared error of each sample, as one node of the tape.
///
/// - Parameters:
///   - a: `[N, …]`.
///   - b: `[N, …]`, of the same shape.
///   - form: from the N errors to the loss and its slope along each of them.
/// - Returns: a scalar.
package func errorLoss(
    _ a: Tensor, _ b: Tensor, _ form: (_ errors: [Double]) -> (value: Double, slopes: [Double])
) -> Tensor {
    let samples = a.shape.first ?? 1
    let size = max(a.count / max(samples, 1), 1)
    let (loss, slopes) = form(Reduction.squaredDistancePerSample(a, b).map { $0 / Double(size) })
    precondition(slopes.count == samples, "\(slopes.count) slopes for \(samples) errors")
    let value = Tensor(shape: [], values: [Float(loss)])
    return Tensor(value: value, parents: [a, b]) { [needsB = b.requiresGradient, a = a.detached, b = b.detached] g in
        let scale = 2 * Double(g.scalar) / Double(size)
        let slope = scaleSamples(a - b, by: slopes.map { Float(scale * $0) })
        return [slope, needsB ? slope * -1 : nil]
    }
}
