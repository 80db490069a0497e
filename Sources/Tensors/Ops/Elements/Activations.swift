import CKernels

/// What a normalization applies to its result before it writes it.
package enum Activation: Sendable {
    case none
    case silu
}

/// x·σ(x).
package func silu(_ x: Tensor) -> Tensor {
    activated(x, .silu)
}

/// x·Φ(x) with the exact normal distribution function.
package func gelu(_ x: Tensor) -> Tensor {
    activated(x, .gelu)
}

/// x·σ(1.702 x), as CLIP ViT-L has it.
package func quickGelu(_ x: Tensor) -> Tensor {
    activated(x, .quickGelu)
}

private func activated(_ x: Tensor, _ function: ElementFunction) -> Tensor {
    Tensor(value: apply(function, to: x), parents: [x]) { [x = x.detached] in [applyVJP(function, x, $0)] }
}

/// value·gelu(gate) (Shazeer, arXiv 2002.05202).
///
/// - Parameter x: `[…, 2F]`, the value half first.
/// - Returns: `[…, F]`.
package func geglu(_ x: Tensor) -> Tensor {
    precondition(x.channels.isMultiple(of: 2), "GEGLU halves the channels of \(x.shape)")
    if let backend = x.backend {
        return Tensor(value: backend.geglu(x), parents: [x]) { [x = x.detached] in [backend.gegluVJP(x, $0)] }
    }
    let half = x.channels / 2
    let out = Output(x.shape.dropLast() + [half])
    Parallel.rows(x.rows, width: x.channels) { range in
        let first = range.lowerBound
        ck_geglu(x.pointer + first * 2 * half, out.pointer + first * half, range.count, half)
    }
    return Tensor(value: out.tensor, parents: [x]) { [x = x.detached] gradient in
        let out = Output(x.shape)
        Parallel.rows(x.rows, width: x.channels) { range in
            let first = range.lowerBound
            ck_geglu_vjp(
                x.pointer + first * 2 * half, gradient.pointer + first * half, out.pointer + first * 2 * half,
                range.count, half)
        }
        return [out.tensor]
    }
}
