/// What ``weightDecomposedLinear(_:_:bias:down:up:magnitude:norm:scale:)`` computes, with m/‖W + sBA‖ and BA in the
/// weight: y = W′x + bias, and, in the backward pass, products with A and B for their own gradients alone.
///
/// Make it once for each value of the factors, that is once per optimizer step, whatever the number of microbatches.
package struct MergedLinear: Sendable {
    private let down, up, magnitude: Tensor
    /// W′ = (m/‖W + sBA‖)∘(W + sBA) by rows.
    private let weight: PreparedLinear
    /// s·m/‖W + sBA‖, `[out]`.
    private let gain: Tensor
    /// B with its rows times that, `[out, r]`.
    private let scaledUp: Tensor

    /// Nil where a weight of its own saves little, or would lose what the gradient of m is computed from.
    package init?(_ base: PreparedLinear, down: Tensor, up: Tensor, magnitude: Tensor, scale: Float) {
        let narrowWork = down.shape[0] * (base.inputs + base.outputs)
        guard Self.leastShare * narrowWork >= base.inputs * base.outputs,
            let (weight, gain) = base.merged(
                down: down, up: up.detached * scale, rowLengths: magnitude.detached),
            gain.values.allSatisfy({ abs($0) >= Self.leastGain && $0.isFinite })
        else { return nil }
        (self.down, self.up, self.magnitude, self.weight) = (down, up, magnitude, weight)
        self.gain = gain * scale
        scaledUp = scaleRows(up.detached, by: self.gain)
    }

    /// Products with A and B that cost a sixth or more of that with W are worth its memory.
    private static let leastShare = 6
    /// Of a row that is nearly zero, too few digits are left in y to tell its direction.
    private static let leastGain: Float = 0x1p-7

    /// - Parameters:
    ///   - x: `[…, in]`.
    ///   - bias: `[out]`, frozen.
    /// - Returns: `[…, out]`.
    package func callAsFunction(_ x: Tensor, bias: Tensor?) -> Tensor {
        let rows = x.detached.reshaped([x.rows, x.channels])
        let value = linear(rows, weight, bias: bias?.detached)
        let parents = [x, down, up, magnitude]
        let (down, magnitude, weight, gain, scaledUp) = (down.detached, magnitude.detached, weight, gain, scaledUp)
        let (shape, bias, needsInput) = (x.shape, bias?.detached, x.requiresGradient)
        return Tensor(value: value.reshaped(shape.dropLast() + [weight.outputs]), parents: parents) { gradient in
            let gradient = gradient.reshaped(value.shape)
            let narrow = matmul(rows, down, transposeB: true)
            let dNarrow = matmul(gradient, scaledUp)
            return [
                needsInput ? productBack(gradient, weight).reshaped(shape) : nil,
                matmul(dNarrow, rows, transposeA: true),
                scaleRows(matmul(gradient, narrow, transposeA: true), by: gain),
                // y − bias is the gain times what m/‖W + sBA‖ multiplies: its norm cancels.
                quotient(columnDots(gradient, value, shift: bias), magnitude),
            ]
        }
    }
}
