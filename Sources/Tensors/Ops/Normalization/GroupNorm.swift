import CKernels

/// Group normalization (Wu & He, arXiv 1803.08494) with the activation that follows it in one pass.
///
/// - Parameters:
///   - x: `[N, …, C]`; statistics are taken per sample over positions and the C / groups channels of a group.
///   - groups: their number, a divisor of C.
///   - scale: `[C]`.
///   - shift: `[C]`.
///   - epsilon: added to the variance.
///   - activation: applied to the result.
package func groupNorm(
    _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, activation: Activation = .none
) -> Tensor {
    let channels = x.channels
    precondition(channels.isMultiple(of: groups), "\(channels) channels do not split into \(groups) groups")
    if let backend = x.backend {
        let made = backend.groupNorm(
            x, groups: groups, scale: scale, shift: shift, epsilon: epsilon, activation: activation)
        let needsParameters = scale.requiresGradient || shift.requiresGradient
        return Tensor(value: made.value, parents: [x, scale, shift]) {
            [x = x.detached, scale = scale.detached, shift = shift.detached, statistics = made.statistics] gradient in
            backend.groupNormVJP(
                gradient, x, groups: groups, scale: scale, shift: shift, statistics, activation: activation,
                needsParameters: needsParameters)
        }
    }
    let samples = x.shape[0]
    let rows = x.rows / max(samples, 1)
    let silu: Int32 = activation == .silu ? 1 : 0
    let out = Output(x.shape)
    /// Per sample and channel: mean and 1/σ of its group, as the backward pass needs them.
    let statistics = Output([samples, 2, groups])
    let chunks = GroupNormChunks(samples: samples, rows: rows, channels: channels)
    let moments = chunks.moments(x)
    Parallel.forEach(samples) { n in
        let of = statistics.pointer + n * 2 * groups
        let size = channels / groups
        for g in 0..<groups {
            var (sum, squares) = (0.0, 0.0)
            for c in g * size..<(g + 1) * size {
                sum += moments[n * 2 * channels + c]
                squares += moments[n * 2 * channels + channels + c]
            }
            let count = Double(rows * size)
            let mean = sum / count
            of[g] = Float(mean)
            of[groups + g] = Float(1 / (max(squares / count - mean * mean, 0) + Double(epsilon)).squareRoot())
        }
    }
    let affine = GroupNormAffine(statistics.tensor, groups: groups, scale: scale, shift: shift)
    chunks.forEach { n, range in
        let start = (n * rows + range.lowerBound) * channels
        ck_affine(
            x.pointer + start, affine.scale(n), affine.shift(n), out.pointer + start, range.count, channels, silu)
    }
    let needsParameters = scale.requiresGradient || shift.requiresGradient
    return Tensor(value: out.tensor, parents: [x, scale, shift]) { [x = x.detached, scale = scale.detached] gradient in
        groupNormVJP(gradient, x, scale, affine, chunks, silu: silu, needsParameters: needsParameters)
    }
}

/// y = x·a + b per sample and channel, the form in which the normalization is applied.
private struct GroupNormAffine: Sendable {
    let groups: Int
    let channels: Int
    let statistics: Tensor
    private let coefficients: Tensor

    init(_ statistics: Tensor, groups: Int, scale: Tensor, shift: Tensor) {
        let (samples, channels) = (statistics.shape[0], scale.count)
        (self.groups, self.channels, self.statistics) = (groups, channels, statistics)
        coefficients = Tensor(shape: [samples, 2, channels]) { out in
            for n in 0..<samples {
                for c in 0..<channels {
                    let group = n * 2 * groups + c * groups / channels
                    let (mean, inverse) = (statistics.pointer[group], statistics.pointer[group + groups])
                    out[n * 2 * channels + c] = scale.pointer[c] * inverse
                    out[n * 2 * channels + channels + c] = shift.pointer[c] - mean * inverse * scale.pointer[c]
                }
            }
        }
    }

    func scale(_ n: Int) -> UnsafePointer<Float> { coefficients.pointer + n * 2 * channels }
    func shift(_ n: Int) -> UnsafePointer<Float> { coefficients.pointer + (n * 2 + 1) * channels }
    func mean(_ n: Int, _ group: Int) -> Float { statistics.pointer[n * 2 * groups + group] }
    func inverse(_ n: Int, _ group: Int) -> Float { statistics.pointer[(n * 2 + 1) * groups + group] }
}

/// Samples cut into ranges of rows, so that one large image keeps all cores busy too.
private struct GroupNormChunks: Sendable {
    let samples, rows, channels, grain, perSample: Int

    init(samples: Int, rows: Int, channels: Int) {
        (self.samples, self.rows, self.channels) = (samples, rows, channels)
        grain = max(PathSizes.groupNormValues / max(channels, 1), 32)
        perSample = max((rows + grain - 1) / grain, 1)
    }

    func forEach(_ body: (_ sample: Int, _ rows: Range<Int>) -> Void) {
        Parallel.forEach(samples * perSample) { index in
            let (n, part) = index.quotientAndRemainder(dividingBy: perSample)
            body(n, part * grain..<min((part + 1) * grain, rows))
        }
    }

    /// Sums over rows that `body` adds to two lists of `channels` doubles: `[samples, 2, channels]`.
    func sums(_ body: (Int, Range<Int>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void) -> [Double]
    {
        var parts = [Double](repeating: 0, count: samples * perSample * 2 * channels)
        parts.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            nonisolated(unsafe) let parts = base
            forEach { n, range in
                let mine = parts + (n * perSample + range.lowerBound / grain) * 2 * channels
                body(n, range, mine, mine + channels)
            }
        }
        guard perSample > 1 else { return parts }
        var total = [Double](repeating: 0, count: samples * 2 * channels)
        for n in 0..<samples {
            for part in 0..<perSample {
                for c in 0..<2 * channels {
                    total[n * 2 * channels + c] += parts[(n * perSample + part) * 2 * channels + c]
                }
            }
        }
        return total
    }

    func moments(_ x: Tensor) -> [Double] {
        sums { n, range, sum, squares in
            ck_channel_moments(
                x.pointer + (n * rows + range.lowerBound) * channels, range.count, channels, sum, squares)
        }
    }
}

private func groupNormVJP(
    _ gradient: Tensor, _ x: Tensor, _ scale: Tensor, _ affine: GroupNormAffine, _ chunks: GroupNormChunks,
    silu: Int32, needsParameters: Bool
) -> [Tensor?] {
    let (channels, rows, groups) = (chunks.channels, chunks.rows, affine.groups)
    let size = channels / groups
    // First through the activation, with Σg and Σg·x by channel.
    let inner = Output(x.shape)
    let sums = chunks.sums { n, range, sumG, sumGX in
        let start = (n * rows + range.lowerBound) * channels
        ck_affine_vjp_sums(
            x.pointer + start, gradient.pointer + start, affine.scale(n), affine.shift(n), inner.pointer + start,
            range.count, channels, silu, sumG, sumGX)
    }
    // dx = a·g + b·x + d with a = γ/σ, and b, d from the group's means of γg and γg·x̂.
    let combined = Tensor(shape: [chunks.samples, 3, channels]) { out in
        for n in 0..<chunks.samples {
            for group in 0..<groups {
                let (mean, inverse) = (Double(affine.mean(n, group)), Double(affine.inverse(n, group)))
                var (sumG, sumGX) = (0.0, 0.0)
                for c in group * size..<(group + 1) * size {
                    let gamma = Double(scale.pointer[c])
                    let g = sums[n * 2 * channels + c]
                    sumG += gamma * g
                    sumGX += gamma * (sums[n * 2 * channels + channels + c] - mean * g) * inverse
                }
                let count = Double(rows * size)
                let slope = -inverse * inverse * sumGX / count
                for c in group * size..<(group + 1) * size {
                    out[n * 3 * channels + c] = Float(Double(scale.pointer[c]) * inverse)
                    out[n * 3 * channels + channels + c] = Float(slope)
                    out[n * 3 * channels + 2 * channels + c] = Float(-inverse * sumG / count - slope * mean)
                }
            }
        }
    }
    let dx = Output(x.shape)
    chunks.forEach { n, range in
        let start = (n * rows + range.lowerBound) * channels
        let of = combined.pointer + n * 3 * channels
        ck_affine_combine(
            inner.pointer + start, x.pointer + start, of, of + channels, of + 2 * channels, dx.pointer + start,
            range.count, channels)
    }
    guard needsParameters else { return [dx.tensor, nil, nil] }
    var (dscale, dshift) = ([Float](repeating: 0, count: channels), [Float](repeating: 0, count: channels))
    for n in 0..<chunks.samples {
        for c in 0..<channels {
            let group = c / size
            let g = sums[n * 2 * channels + c]
            let gx = sums[n * 2 * channels + channels + c]
            dscale[c] += Float((gx - Double(affine.mean(n, group)) * g) * Double(affine.inverse(n, group)))
            dshift[c] += Float(g)
        }
    }
    return [dx.tensor, Tensor(shape: [channels], values: dscale), Tensor(shape: [channels], values: dshift)]
}
