import CKernels
package import Tensor

/// ‖g‖₂ over all gradients together.
package func globalNorm(_ gradients: [Tensor]) -> Double {
    var total = 0.0
    for gradient in gradients {
        total += gradient.withValues { values in values.baseAddress.map { ck_sum_of_squares($0, values.count) } ?? 0 }
    }
    return total.squareRoot()
}

/// The factor that brings gradients of the given norm down to `limit`, as `torch.nn.utils.clip_grad_norm_` has it.
package func clipFactor(norm: Double, limit: Double) -> Float {
    Float(min(1, limit / (norm + 1e-6)))
}
