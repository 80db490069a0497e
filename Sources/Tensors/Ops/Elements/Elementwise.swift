import CKernels

extension Tensor {
    package static func + (a: Tensor, b: Tensor) -> Tensor {
        Tensor(value: combine(a, b, .add), parents: [a, b]) { [$0, $0] }
    }

    package static func - (a: Tensor, b: Tensor) -> Tensor {
        Tensor(value: combine(a, b, .subtract), parents: [a, b]) { [$0, b.requiresGradient ? $0 * -1 : nil] }
    }

    package static func * (a: Tensor, factor: Float) -> Tensor {
        let value = a.backend?.scaled(a, by: factor) ?? map(a) { x, out, n in ck_scale(x, factor, out, n) }
        return Tensor(value: value, parents: [a]) { [$0 * factor] }
    }

    package static func + (a: Tensor, term: Float) -> Tensor {
        let value = a.backend?.shifted(a, by: term) ?? map(a) { x, out, n in ck_add_scalar(x, term, out, n) }
        return Tensor(value: value, parents: [a]) { [$0] }
    }

    /// Each value where it is between −`limit` and `limit`, else the nearer of them; NaN stays NaN.
    package func clamped(_ limit: Float) -> Tensor {
        let value = backend?.clamped(self, limit) ?? map(self) { x, out, n in ck_clamp(x, -limit, limit, out, n) }
        return Tensor(value: value, parents: [self]) { [x = detached] gradient in
            [
                x.backend?.clampedVJP(x, gradient, limit)
                    ?? zip(x, gradient) { x, g, out, n in ck_clamp_vjp(x, g, -limit, limit, out, n) }
            ]
        }
    }
}

/// a∘b by elements.
package func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(value: combine(a, b, .multiply), parents: [a, b]) {
        [needsA = a.requiresGradient, needsB = b.requiresGradient, a = a.detached, b = b.detached] gradient in
        [needsA ? product(gradient, b) : nil, needsB ? product(gradient, a) : nil]
    }
}

/// a/b by elements.
package func quotient(_ a: Tensor, _ b: Tensor) -> Tensor {
    let value = combine(a, b, .divide)
    return Tensor(value: value, parents: [a, b]) { [needsB = b.requiresGradient, b = b.detached] gradient in
        let forA = quotient(gradient, b)
        return [forA, needsB ? product(forA, value) * -1 : nil]
    }
}

typealias UnaryLoop = (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
typealias BinaryLoop = (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void

/// A loop of CKernels over all elements, on all cores.
func map(_ x: Tensor, _ loop: UnaryLoop) -> Tensor {
    let out = Output(x.shape)
    Parallel.rows(x.count, width: 1) { loop(x.pointer + $0.lowerBound, out.pointer + $0.lowerBound, $0.count) }
    return out.tensor
}

/// The same over two tensors of one shape.
func zip(_ a: Tensor, _ b: Tensor, _ loop: BinaryLoop) -> Tensor {
    precondition(a.shape == b.shape, "element by element needs one shape, not \(a.shape) and \(b.shape)")
    let out = Output(a.shape)
    Parallel.rows(a.count, width: 1) {
        loop(a.pointer + $0.lowerBound, b.pointer + $0.lowerBound, out.pointer + $0.lowerBound, $0.count)
    }
    return out.tensor
}

/// Adds one vector per sample to every position of that sample, as a time embedding is added to an image.
///
/// - Parameters:
///   - x: `[N, …, C]`.
///   - vectors: `[N, C]`.
package func add(_ x: Tensor, perSample vectors: Tensor) -> Tensor {
    let (samples, channels) = (x.shape[0], x.channels)
    precondition(vectors.shape == [samples, channels], "vectors of shape \(vectors.shape) for \(x.shape)")
    if let backend = x.backend ?? vectors.backend {
        return Tensor(value: backend.add(x, perSample: vectors), parents: [x, vectors]) {
            [needsVectors = vectors.requiresGradient] gradient in
            [gradient, needsVectors ? backend.sumPerSample(gradient) : nil]
        }
    }
    let rows = x.rows / max(samples, 1)
    let out = Output(x.shape)
    Parallel.forEach(samples) { n in
        let start = n * rows * channels
        ck_add_row(x.pointer + start, vectors.pointer + n * channels, out.pointer + start, rows, channels)
    }
    return Tensor(value: out.tensor, parents: [x, vectors]) { [vectors] gradient in
        [gradient, vectors.requiresGradient ? sumPerSample(gradient) : nil]
    }
}

/// [N, …, C] → [N, C].
private func sumPerSample(_ x: Tensor) -> Tensor {
    let (samples, channels) = (x.shape[0], x.channels)
    let rows = x.rows / max(samples, 1)
    let out = Output([samples, channels])
    Parallel.forEach(samples) { n in
        ck_sum_rows(x.pointer + n * rows * channels, out.pointer + n * channels, rows, channels)
    }
    return out.tensor
}

/// The sum over all but the last dimension: [rows, C] → [C].
func sumRows(_ x: Tensor) -> Tensor {
    if let backend = x.backend { return backend.sumRows(x) }
    let out = Output([x.channels])
    ck_sum_rows(x.pointer, out.pointer, x.rows, x.channels)
    return out.tensor
}
