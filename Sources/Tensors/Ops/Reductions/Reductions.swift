import CKernels

/// Sums in double precision, each by one thread, so that the value does not depend on how many there are.
package enum Reduction {
    /// ‖a − b‖² of each sample: `[N, …]` → N values.
    package static func squaredDistancePerSample(_ a: Tensor, _ b: Tensor) -> [Double] {
        precondition(a.shape == b.shape, "distance of \(a.shape) and \(b.shape)")
        if let backend = a.backend ?? b.backend { return backend.squaredDistancePerSample(a, b) }
        let samples = a.shape.first ?? 1
        let size = a.count / max(samples, 1)
        return (0..<samples).map { ck_squared_distance(a.pointer + $0 * size, b.pointer + $0 * size, size) }
    }

    /// ‖x‖₂ over all values of all tensors together, as of the gradients of all parameters.
    package static func norm(_ tensors: [Tensor]) -> Double {
        let tensors = tensors.map(\.onHost)
        let squares = Parallel.map(tensors.count) { ck_sum_of_squares(tensors[$0].pointer, tensors[$0].count) }
        return squares.reduce(0, +).squareRoot()
    }
}
