import CKernels
package import Tensor

/// ‖g‖₂ over all gradients together.
package func globalNorm(_ gradients: [Tensor]) -> Double {
    let squares = parallelMap(gradients.count) { index in
        gradients[index].withValues { values in values.baseAddress.map { ck_sum_of_squares($0, values.count) } ?? 0 }
    }
    return squares.reduce(0, +).squareRoot()
}

/// The factor that brings gradients of the given norm down to `limit`, as `torch.nn.utils.clip_grad_norm_` has it.
package func clipFactor(norm: Double, limit: Double) -> Float {
    Float(min(1, limit / (norm + 1e-6)))
}
