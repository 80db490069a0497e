import CKernels

/// One step of Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101), number for number as
/// `torch.optim.AdamW` takes it.
package struct AdamWStep: Sendable {
    package var learningRate, beta1, beta2, epsilon, weightDecay: Float
    /// 1 − β₁ᵗ and 1 − β₂ᵗ for step t, counted from 1.
    package var correction1, correction2: Float
    /// What gradients are multiplied by first.
    package var clip: Float

    package init(
        learningRate: Float, beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, correction1: Float,
        correction2: Float, clip: Float
    ) {
        (self.learningRate, self.beta1, self.beta2) = (learningRate, beta1, beta2)
        (self.epsilon, self.weightDecay, self.clip) = (epsilon, weightDecay, clip)
        (self.correction1, self.correction2) = (correction1, correction2)
    }

    /// One parameter after the step, in new memory: the old values may be in use elsewhere.
    ///
    /// - Parameters:
    ///   - value: the parameter before the step.
    ///   - gradient: of the loss, of the same shape, not yet clipped.
    ///   - first: the running mean of the gradient, of the same shape.
    ///   - second: the running mean of its square, of the same shape.
    package func moved(
        _ value: Tensor, along gradient: Tensor, first: Tensor, second: Tensor
    ) -> (value: Tensor, first: Tensor, second: Tensor) {
        precondition(
            value.shape == gradient.shape && value.shape == first.shape && value.shape == second.shape,
            "a parameter of \(value.shape) with a gradient of \(gradient.shape)")
        let (newValue, newFirst, newSecond) = (Output(value.shape), Output(value.shape), Output(value.shape))
        Parallel.ranges(value.count, grain: 1 << 16) { range in
            let i = range.lowerBound
            ck_adamw(
                value.pointer + i, gradient.pointer + i, first.pointer + i, second.pointer + i, newValue.pointer + i,
                newFirst.pointer + i, newSecond.pointer + i, range.count, clip, learningRate, beta1, beta2, epsilon,
                weightDecay, correction1, correction2)
        }
        return (newValue.tensor, newFirst.tensor, newSecond.tensor)
    }
}
