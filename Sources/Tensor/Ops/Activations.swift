import CKernels

/// What a normalization applies to its result before it writes it.
package enum Activation: Sendable {
    case none
    case silu
}

/// x·σ(x).
package func silu(_ x: Tensor) -> Tensor {
    Tensor(value: map(x, ck_silu), parents: [x]) { [x = x.detached] in [zip(x, $0, ck_silu_vjp)] }
}

/// x·Φ(x) with the exact normal distribution function.
package func gelu(_ x: Tensor) -> Tensor {
    Tensor(value: map(x, ck_gelu), parents: [x]) { [x = x.detached] in [zip(x, $0, ck_gelu_vjp)] }
}

/// x·σ(1.702 x), as CLIP ViT-L has it.
package func quickGelu(_ x: Tensor) -> Tensor {
    Tensor(value: map(x, ck_quick_gelu), parents: [x]) { [x = x.detached] in [zip(x, $0, ck_quick_gelu_vjp)] }
}

/// value·gelu(gate) (Shazeer, arXiv 2002.05202).
///
/// - Parameter x: `[…, 2F]`, the value half first.
/// - Returns: `[…, F]`.
package func geglu(_ x: Tensor) -> Tensor {
    precondition(x.channels.isMultiple(of: 2), "GEGLU halves the channels of \(x.shape)")
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
