import CKernels
package import Diffusion
package import Tensor

/// What ``DoRALinear`` computes, with m/‖W + sBA‖ and BA in the weight: y = W′x + bias, and on the way back products with A
/// and B for their own gradients alone.
///
/// The weight is made once an optimiser step, whatever the number of microbatches.
package struct MergedDoRALinear: LinearAdapter {
    private let layer: AdapterLayer
    private let magnitude: Tensor
    /// W′ = (m/‖W + sBA‖)·(W + sBA) by rows.
    private let weight: LinearWeight
    /// s·m/‖W + sBA‖, [out].
    private let gain: Tensor
    /// B with its rows times that, [out, r].
    private let scaledUp: Tensor

    /// Nil where a weight of its own saves little, or would lose what the gradient of m is computed from.
    package init?(_ layer: AdapterLayer, magnitude: Tensor, scale: Float, base: LinearWeight) {
        let narrowWork = layer.rank * (base.inputs + base.outputs)
        guard Self.leastShare * narrowWork >= base.inputs * base.outputs,
            let (weight, gain) = base.merged(
                down: layer.down, up: layer.up.detached * scale, rowLengths: magnitude.detached),
            gain.values.allSatisfy({ abs($0) >= Self.leastGain && $0.isFinite })
        else { return nil }
        (self.layer, self.magnitude, self.weight) = (layer, magnitude, weight)
        self.gain = gain * scale
        scaledUp = scaleRows(layer.up, by: self.gain)
    }

    /// Products with A and B that cost a sixth or more of that with W are worth its memory.
    private static let leastShare = 6
    /// Of a row that is nearly zero, too few digits are left in y to tell its direction.
    private static let leastGain: Float = 0x1p-7

    package func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
        let rows = x.detached.reshaped([x.rows, x.channels])
        let value = linear(rows, weight, bias: base.bias)
        let (down, weight, gain, scaledUp, bias) = (layer.down.detached, weight, gain, scaledUp, base.bias)
        let (magnitude, shape, needsInput) = (magnitude.detached, x.shape, x.requiresGradient)
        return Tensor(
            value: value.reshaped(shape.dropLast() + [weight.outputs]),
            parents: [x, layer.down, layer.up, self.magnitude]
        ) { gradient in
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

/// Sums over each column of a ∘ (b − shift), for a and b [rows, columns]; gives [columns].
private func columnDots(_ a: Tensor, _ b: Tensor, shift: Tensor?) -> Tensor {
    let (rows, columns) = (a.shape[0], a.shape[1])
    return Tensor(shape: [columns]) { out in
        let (a, b, shift, out) = (Values(a), Values(b), shift.map(Values.init), Target(out))
        forEachBlock(of: columns, size: 256) { range in
            let start = range.lowerBound
            ck_column_dots(
                a.pointer + start, b.pointer + start, shift.map { $0.pointer + start }, out.pointer + start, rows,
                range.count, columns)
        }
    }
}
