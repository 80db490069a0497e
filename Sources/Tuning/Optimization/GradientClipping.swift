package import Tensors

/// ‖g‖₂ over all gradients together.
package func globalNorm(_ gradients: [Tensor]) -> Double { Reduction.norm(gradients) }

/// The factor that brings gradients of the given norm down to `limit`, as `torch.nn.utils.clip_grad_norm_` has it.
package func clipFactor(norm: Double, limit: Double) -> Float {
    Float(min(1, limit / (norm + 1e-6)))
}
