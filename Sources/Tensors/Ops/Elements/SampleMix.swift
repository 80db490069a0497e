import CKernels

/// s·a + t·b with factors of their own for each sample, as noise is mixed into latents.
///
/// - Parameters:
///   - a: `[N, …]`.
///   - b: `[N, …]`, of the same shape.
///   - factors: (s, t) of each of the N samples.
package func mix(_ a: Tensor, _ b: Tensor, by factors: [(Float, Float)]) -> Tensor {
    precondition(a.shape == b.shape && a.shape.first == factors.count, "one pair of factors for each sample")
    let value = (a.backend ?? b.backend)?.mix(a, b, by: factors) ?? mixed(a, b, by: factors)
    return Tensor(value: value, parents: [a, b]) {
        [needsA = a.requiresGradient, needsB = b.requiresGradient] gradient in
        [
            needsA ? scaleSamples(gradient, by: factors.map(\.0)) : nil,
            needsB ? scaleSamples(gradient, by: factors.map(\.1)) : nil,
        ]
    }
}

private func mixed(_ a: Tensor, _ b: Tensor, by factors: [(Float, Float)]) -> Tensor {
    let size = a.count / max(factors.count, 1)
    let out = Output(a.shape)
    Parallel.forEach(factors.count) { sample in
        let start = sample * size
        ck_mix(a.pointer + start, factors[sample].0, b.pointer + start, factors[sample].1, out.pointer + start, size)
    }
    return out.tensor
}

/// Each sample times its factor. Takes no gradients.
func scaleSamples(_ x: Tensor, by factors: [Float]) -> Tensor {
    if let backend = x.backend { return backend.scaleSamples(x, by: factors) }
    let size = x.count / max(factors.count, 1)
    let out = Output(x.shape)
    Parallel.forEach(factors.count) { sample in
        ck_scale(x.pointer + sample * size, factors[sample], out.pointer + sample * size, size)
    }
    return out.tensor
}
