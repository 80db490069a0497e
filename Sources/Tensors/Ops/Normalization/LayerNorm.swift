import CKernels

/// Layer normalization over the last dimension (Ba et al., arXiv 1607.06450).
///
/// - Parameters:
///   - x: `[…, C]`.
///   - scale: `[C]`.
///   - shift: `[C]`.
///   - epsilon: added to the variance.
package func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
    if let backend = x.backend {
        let made = backend.layerNorm(x, scale: scale, shift: shift, epsilon: epsilon)
        let needsParameters = scale.requiresGradient || shift.requiresGradient
        return Tensor(value: made.value, parents: [x, scale, shift]) {
            [x = x.detached, scale = scale.detached, shift = shift.detached, statistics = made.statistics] gradient in
            backend.layerNormVJP(
                gradient, x, scale: scale, shift: shift, statistics, needsParameters: needsParameters)
        }
    }
    let channels = x.channels
    let out = Output(x.shape)
    Parallel.rows(x.rows, width: channels) { range in
        let start = range.lowerBound * channels
        ck_layer_norm(
            x.pointer + start, scale.pointer, shift.pointer, epsilon, out.pointer + start, range.count, channels)
    }
    let needsParameters = scale.requiresGradient || shift.requiresGradient
    return Tensor(value: out.tensor, parents: [x, scale, shift]) { [x = x.detached, scale = scale.detached] gradient in
        let dx = Output(x.shape)
        guard needsParameters else {
            Parallel.rows(x.rows, width: channels) { range in
                let start = range.lowerBound * channels
                ck_layer_norm_vjp(
                    x.pointer + start, gradient.pointer + start, scale.pointer, epsilon, dx.pointer + start, nil, nil,
                    range.count, channels)
            }
            return [dx.tensor, nil, nil]
        }
        // Each range of rows has sums of its own, which are added up in their order.
        let grain = 65_536 / max(channels, 1) + 1
        let parts = max((x.rows + grain - 1) / grain, 1)
        let sums = Output([parts, 2 * channels])
        sums.pointer.update(repeating: 0, count: parts * 2 * channels)
        Parallel.ranges(x.rows, grain: grain) { range in
            let start = range.lowerBound * channels
            let own = sums.pointer + range.lowerBound / grain * 2 * channels
            ck_layer_norm_vjp(
                x.pointer + start, gradient.pointer + start, scale.pointer, epsilon, dx.pointer + start, own,
                own + channels, range.count, channels)
        }
        let total = sumRows(sums.tensor).values
        return [
            dx.tensor, Tensor(shape: [channels], values: Array(total[..<channels])),
            Tensor(shape: [channels], values: Array(total[channels...])),
        ]
    }
}
