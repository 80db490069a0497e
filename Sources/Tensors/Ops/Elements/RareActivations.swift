import Foundation

/// max(x, 0).
package func relu(_ x: Tensor) -> Tensor {
    Tensor(value: each(x) { max($0, 0) }, parents: [x]) { [x = x.detached] gradient in
        [each(x, gradient) { $0 > 0 ? $1 : 0 }]
    }
}

/// x·tanh(log(1 + eˣ)) (Misra, arXiv 1908.08681).
package func mish(_ x: Tensor) -> Tensor {
    Tensor(value: each(x) { $0 * tanh(softplus($0)) }, parents: [x]) { [x = x.detached] gradient in
        [
            each(x, gradient) { x, gradient in
                let t = tanh(softplus(x))
                return gradient * (t + x * (1 - t * t) / (1 + exp(-x)))
            }
        ]
    }
}

/// log(1 + eˣ), which is x where the exponential would be too large.
private func softplus(_ x: Float) -> Float { x > 20 ? x : log1p(exp(x)) }

private func each(_ x: Tensor, _ body: (Float) -> Float) -> Tensor {
    Tensor(shape: x.shape) { out in
        x.withValues { x in for index in out.indices { out[index] = body(x[index]) } }
    }
}

private func each(_ x: Tensor, _ y: Tensor, _ body: (Float, Float) -> Float) -> Tensor {
    Tensor(shape: x.shape) { out in
        x.withValues { x in y.withValues { y in for index in out.indices { out[index] = body(x[index], y[index]) } } }
    }
}
