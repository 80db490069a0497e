import Foundation
import Tensors
import Testing

/// Sizes that real models have and small tests do not: each takes a path of its own (``PathSizes``), and each is compared
/// with the definition in double precision.
@Suite("Paths that large shapes take")
struct LargeShapeTests {
    private func normal(_ shape: [Int], _ stream: UInt64) -> Tensor {
        CounterGenerator(seed: 21, stream: stream).normal(shape)
    }

    /// The gradients of Σ (out − target)² / count, and dL/d(out) in double precision.
    private func backward(
        _ out: Tensor, for parameters: [Tensor]
    ) -> (gradients: [Tensor], slope: [Double]) {
        let target = normal(out.shape, 99)
        let found = gradients(of: meanSquaredError(out, target), for: parameters)
        let factor = 2 / Double(out.count)
        return (found, zip(out.values, target.values).map { factor * (Double($0) - Double($1)) })
    }

    // MARK: Attention

    /// softmax(q·kᵀ/√d)·v and its gradients by their definition.
    private struct PlainAttention {
        let queries, keys, channels, heads, size: Int
        let q, k, v: [Double]
        let causal: Bool

        init(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool) {
            (queries, keys, channels) = (q.shape[1], k.shape[1], q.shape[2])
            (self.heads, self.causal) = (heads, causal)
            size = channels / heads
            (self.q, self.k, self.v) = (q.values.map(Double.init), k.values.map(Double.init), v.values.map(Double.init))
        }

        private func query(_ n: Int, _ i: Int, _ h: Int) -> Int { (n * queries + i) * channels + h * size }
        private func key(_ n: Int, _ s: Int, _ h: Int) -> Int { (n * keys + s) * channels + h * size }

        private func probabilities(_ n: Int, _ i: Int, _ h: Int) -> [Double] {
            let (from, scale) = (query(n, i, h), 1 / Double(size).squareRoot())
            let scores = (0..<keys).map { s in
                if causal && s > i { return -Double.infinity }
                let to = key(n, s, h)
                var sum = 0.0
                for c in 0..<size { sum += q[from + c] * k[to + c] }
                return sum * scale
            }
            let top = scores.max() ?? 0
            let weights = scores.map { exp($0 - top) }
            let total = weights.reduce(0, +)
            return weights.map { $0 / total }
        }

        private func rows(_ body: (Int, Int, Int) -> Void) {
            for n in 0..<q.count / (queries * channels) {
                for i in 0..<queries { for h in 0..<heads { body(n, i, h) } }
            }
        }

        func forward() -> [Float] {
            var out = [Double](repeating: 0, count: q.count)
            rows { n, i, h in
                let (at, p) = (query(n, i, h), probabilities(n, i, h))
                for s in 0..<keys {
                    let from = key(n, s, h)
                    for c in 0..<size { out[at + c] += p[s] * v[from + c] }
                }
            }
            return out.map(Float.init)
        }

        func backward(_ g: [Double]) -> (dq: [Float], dk: [Float], dv: [Float]) {
            var (dq, dk, dv) = (q.map { _ in 0.0 }, k.map { _ in 0.0 }, v.map { _ in 0.0 })
            let scale = 1 / Double(size).squareRoot()
            rows { n, i, h in
                let (at, p) = (query(n, i, h), probabilities(n, i, h))
                var dp = [Double](repeating: 0, count: keys)
                var dot = 0.0
                for s in 0..<keys {
                    let from = key(n, s, h)
                    for c in 0..<size {
                        dp[s] += g[at + c] * v[from + c]
                        dv[from + c] += p[s] * g[at + c]
                    }
                    dot += p[s] * dp[s]
                }
                for s in 0..<keys {
                    let (from, ds) = (key(n, s, h), p[s] * (dp[s] - dot) * scale)
                    for c in 0..<size {
                        dq[at + c] += ds * k[from + c]
                        dk[from + c] += ds * q[at + c]
                    }
                }
            }
            return (dq.map(Float.init), dk.map(Float.init), dv.map(Float.init))
        }
    }

    struct AttentionShape: Sendable {
        var samples = 1
        let queries, keys, heads, size: Int
        var causal = false
        /// Factor on the queries: large ones give rows whose highest score moves from block to block.
        var sharpness: Float = 1
    }

    @Test(arguments: [
        // Three blocks of keys, the last a short one, in two parts going backward.
        AttentionShape(queries: 250, keys: PathSizes.attentionKeys + 276, heads: 3, size: 16),
        AttentionShape(queries: 130, keys: PathSizes.attentionKeys + 1, heads: 2, size: 10, sharpness: 9),
        // Many heads: one part, and blocks of keys that add to the same dQ.
        AttentionShape(samples: 2, queries: 60, keys: PathSizes.attentionKeys + 130, heads: 8, size: 4),
        // Under a causal mask all keys stay together.
        AttentionShape(
            queries: PathSizes.attentionKeys + 40, keys: PathSizes.attentionKeys + 40, heads: 1, size: 8, causal: true),
    ])
    func attentionOverManyKeys(_ shape: AttentionShape) {
        #expect(shape.keys > PathSizes.attentionKeys)
        let channels = shape.heads * shape.size
        let q = Tensor.parameter(normal([shape.samples, shape.queries, channels], 1) * shape.sharpness)
        let k = Tensor.parameter(normal([shape.samples, shape.keys, channels], 2))
        let v = Tensor.parameter(normal([shape.samples, shape.keys, channels], 3))
        let out = attention(q, k, v, heads: shape.heads, causal: shape.causal)
        let plain = PlainAttention(q, k, v, heads: shape.heads, causal: shape.causal)
        #expect(relativeError(out.values, plain.forward()) < 2e-6)
        // The path of inference, which keeps nothing, gives the same bytes.
        let kept = attention(q.detached, k.detached, v.detached, heads: shape.heads, causal: shape.causal)
        #expect(kept.values == out.values)
        let (found, slope) = backward(out, for: [q, k, v])
        let expected = plain.backward(slope)
        #expect(relativeError(found[0].values, expected.dq) < 1e-5)
        #expect(relativeError(found[1].values, expected.dk) < 1e-5)
        #expect(relativeError(found[2].values, expected.dv) < 1e-5)
    }

    // MARK: Group norm

    @Test(arguments: [Activation.none, .silu])
    func groupNormInSeveralParts(activation: Activation) {
        let (samples, rows, channels, groups) = (2, 1900, 96, 8)
        #expect(rows * channels > 2 * PathSizes.groupNormValues)
        let x = Tensor.parameter(
            normal([samples, rows, channels], 1) * 2 + Tensor(filled: 3, shape: [samples, rows, channels]))
        let (scale, shift) = (Tensor.parameter(normal([channels], 2)), Tensor.parameter(normal([channels], 3)))
        let out = groupNorm(x, groups: groups, scale: scale, shift: shift, epsilon: 1e-5, activation: activation)
        let (found, slope) = backward(out, for: [x, scale, shift])

        let (xs, gamma, beta) = (
            x.values.map(Double.init), scale.values.map(Double.init), shift.values.map(Double.init)
        )
        let size = channels / groups
        var (value, dx) = ([Double](repeating: 0, count: xs.count), [Double](repeating: 0, count: xs.count))
        var (dscale, dshift) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
        for n in 0..<samples {
            for group in 0..<groups {
                let places = (0..<rows).flatMap { row in
                    (group * size..<(group + 1) * size).map { (n * rows + row) * channels + $0 }
                }
                let count = Double(places.count)
                let mean = places.reduce(0) { $0 + xs[$1] } / count
                let variance = places.reduce(0) { $0 + (xs[$1] - mean) * (xs[$1] - mean) } / count
                let inverse = 1 / (variance + 1e-5).squareRoot()
                var (sum, dot) = (0.0, 0.0)
                var inner = [Double](repeating: 0, count: places.count)
                for (index, place) in places.enumerated() {
                    let (c, normalized) = (place % channels, (xs[place] - mean) * inverse)
                    let y = normalized * gamma[c] + beta[c]
                    let sigmoid = 1 / (1 + exp(-y))
                    value[place] = activation == .silu ? y * sigmoid : y
                    let g = activation == .silu ? slope[place] * sigmoid * (1 + y * (1 - sigmoid)) : slope[place]
                    dscale[c] += g * normalized
                    dshift[c] += g
                    inner[index] = g * gamma[c]
                    sum += inner[index]
                    dot += inner[index] * normalized
                }
                for (index, place) in places.enumerated() {
                    dx[place] = inverse * (inner[index] - sum / count - (xs[place] - mean) * inverse * dot / count)
                }
            }
        }
        #expect(relativeError(out.values, value.map(Float.init)) < 2e-6)
        #expect(relativeError(found[0].values, dx.map(Float.init)) < 1e-5)
        #expect(relativeError(found[1].values, dscale.map(Float.init)) < 1e-5)
        #expect(relativeError(found[2].values, dshift.map(Float.init)) < 1e-5)
    }

    // MARK: Products

    @Test func wideProductsBothWays() {
        let (m, n, k) = (400, 1100, 1024)
        #expect(n * k > PathSizes.wideProduct && k >= m, "both directions are cut by columns")
        let (x, matrix, bias) = (Tensor.parameter(normal([m, k], 1)), normal([n, k], 2), normal([n], 3))
        let out = linear(x, PreparedLinear(matrix), bias: bias)
        let (found, slope) = backward(out, for: [x])
        let (xs, ws, bs) = (x.values, matrix.values, bias.values)
        // Rows at the ends and on both sides of blocks of rows.
        let rows = [0, 1, 47, 48, 83, 84, 95, 96, 97, 200, 383, 384, 398, 399]
        var (expected, got, back, gotBack): ([Float], [Float], [Float], [Float]) = ([], [], [], [])
        for i in rows {
            for j in 0..<n {
                var sum = Double(bs[j])
                for p in 0..<k { sum += Double(xs[i * k + p]) * Double(ws[j * k + p]) }
                expected.append(Float(sum))
            }
            var sums = [Double](repeating: 0, count: k)
            for j in 0..<n { for p in 0..<k { sums[p] += slope[i * n + j] * Double(ws[j * k + p]) } }
            back += sums.map(Float.init)
        }
        for i in rows { got += out.values[i * n..<(i + 1) * n] }
        let values = found[0].values
        for i in rows { gotBack += values[i * k..<(i + 1) * k] }
        #expect(relativeError(got, expected) < 2e-6)
        #expect(relativeError(gotBack, back) < 1e-5)
    }

    /// As many rows as a large image has pixels.
    @Test func tallProducts() {
        let (m, n, k) = (8200, 40, 33)
        let (a, b) = (normal([m, k], 1), normal([k, n], 2))
        let (got, xs, ws) = (matmul(a, b).values, a.values, b.values)
        var expected = [Float](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for p in 0..<k { sum += Double(xs[i * k + p]) * Double(ws[p * n + j]) }
                expected[i * n + j] = Float(sum)
            }
        }
        #expect(relativeError(got, expected) < 2e-6)
    }

    // MARK: Convolutions

    struct ConvolutionShape: Sendable {
        let images, height, width, inputs, outputs: Int
        var stride = 1

        var kernel: Int { inputs * outputs }
        var tiles: Int { images * ((height + 3) / 4) * ((width + 3) / 4) }
    }

    private static let sliced = [
        ConvolutionShape(images: 2, height: 9, width: 10, inputs: 144, outputs: 592),
        // More tiles than are in memory together, one way and the other.
        ConvolutionShape(images: 1, height: 88, width: 84, inputs: 1024, outputs: 96),
        ConvolutionShape(images: 1, height: 88, width: 84, inputs: 96, outputs: 1024),
    ]

    @Test(arguments: sliced) func winogradKernelsInSlices(_ shape: ConvolutionShape) {
        #expect(shape.kernel > PathSizes.keptWinogradKernel)
        #expect(max(shape.inputs, shape.outputs) > PathSizes.winogradSlice)
        if shape.images == 1 {
            #expect(36 * shape.tiles * max(shape.inputs, shape.outputs) > PathSizes.winogradGroup)
        }
        compare(shape, tolerance: 2e-5)
    }

    @Test func kernelGradientsInSeveralGroupsOfTiles() {
        let shape = ConvolutionShape(images: 2, height: 96, width: 94, inputs: 16, outputs: 48)
        #expect(36 * shape.tiles * (shape.inputs + shape.outputs) > PathSizes.winogradGradientGroup)
        compare(shape, tolerance: 2e-5)
    }

    @Test func kernelGradientsWithoutWinograd() {
        // Too large a kernel, and too few tiles.
        let large = ConvolutionShape(images: 2, height: 8, width: 8, inputs: 1024, outputs: 416)
        #expect(large.kernel > PathSizes.winogradGradientKernel)
        compare(large, tolerance: 2e-5)
        let few = ConvolutionShape(images: 1, height: 8, width: 4, inputs: 32, outputs: 32)
        #expect(few.tiles < PathSizes.winogradGradientTiles)
        compare(few, tolerance: 2e-5)
    }

    @Test(arguments: [
        // Parts of a large image, and tiles of a small kernel.
        ConvolutionShape(images: 2, height: 64, width: 64, inputs: 1024, outputs: 32, stride: 2),
        ConvolutionShape(images: 2, height: 80, width: 80, inputs: 16, outputs: 24, stride: 2),
    ])
    func directConvolutionsInSeveralParts(_ shape: ConvolutionShape) {
        let (columns, pixels) = (9 * shape.inputs, shape.height * shape.width / 4)
        let isLarge = columns * shape.outputs > PathSizes.largeKernel
        #expect(isLarge == (shape.inputs == 1024))
        #expect(columns * pixels > (isLarge ? PathSizes.largeColumns : PathSizes.smallColumns))
        compare(shape, tolerance: 1e-5)
    }

    /// Values, input gradients and kernel gradients of a 3×3 convolution with padding 1, at places that are drawn.
    private func compare(_ shape: ConvolutionShape, tolerance: Double) {
        let (h, w, ci, co) = (shape.height, shape.width, shape.inputs, shape.outputs)
        let (oh, ow) = ((h - 1) / shape.stride + 1, (w - 1) / shape.stride + 1)
        let x = Tensor.parameter(normal([shape.images, h, w, ci], 1))
        let (kernel, bias) = (Tensor.parameter(normal([co, ci, 3, 3], 2)), normal([co], 3))
        let out = conv2d(x, PreparedConvolution(kernel), bias: bias, stride: shape.stride, padding: .uniform(1))
        #expect(out.shape == [shape.images, oh, ow, co])
        let (found, slope) = backward(out, for: [x, kernel])
        let (xs, ks, bs, os, gs) = (x.values, kernel.values, bias.values, out.values, found[0].values)

        let draw = CounterGenerator(seed: 22, stream: 0)
        func places(_ height: Int, _ width: Int, _ channels: Int) -> [(n: Int, y: Int, x: Int, c: Int)] {
            (0..<400).map { index in
                let at = UInt64(4 * index)
                // Every fourth lies on an edge or in the last channel.
                return (
                    draw.integer(at, below: shape.images),
                    index % 4 == 0 ? (index % 8 == 0 ? 0 : height - 1) : draw.integer(at + 1, below: height),
                    index % 4 == 1 ? (index % 8 == 1 ? 0 : width - 1) : draw.integer(at + 2, below: width),
                    index % 4 == 2 ? channels - 1 : draw.integer(at + 3, below: channels)
                )
            }
        }

        var (got, expected): ([Float], [Float]) = ([], [])
        for place in places(oh, ow, co) {
            var sum = Double(bs[place.c])
            for i in 0..<3 {
                for j in 0..<3 {
                    let (y, xx) = (place.y * shape.stride + i - 1, place.x * shape.stride + j - 1)
                    guard y >= 0, y < h, xx >= 0, xx < w else { continue }
                    let from = ((place.n * h + y) * w + xx) * ci
                    for c in 0..<ci { sum += Double(xs[from + c]) * Double(ks[((place.c * ci + c) * 3 + i) * 3 + j]) }
                }
            }
            expected.append(Float(sum))
            got.append(os[((place.n * oh + place.y) * ow + place.x) * co + place.c])
        }
        #expect(relativeError(got, expected) < tolerance)

        (got, expected) = ([], [])
        for place in places(h, w, ci) {
            var sum = 0.0
            for i in 0..<3 {
                for j in 0..<3 {
                    let (top, left) = (place.y + 1 - i, place.x + 1 - j)
                    guard top >= 0, left >= 0, top % shape.stride == 0, left % shape.stride == 0 else { continue }
                    let (y, xx) = (top / shape.stride, left / shape.stride)
                    guard y < oh, xx < ow else { continue }
                    let from = ((place.n * oh + y) * ow + xx) * co
                    for o in 0..<co { sum += slope[from + o] * Double(ks[((o * ci + place.c) * 3 + i) * 3 + j]) }
                }
            }
            expected.append(Float(sum))
            got.append(gs[((place.n * h + place.y) * w + place.x) * ci + place.c])
        }
        #expect(relativeError(got, expected) < tolerance)

        (got, expected) = ([], [])
        let dk = found[1].values
        for index in 0..<60 {
            let (o, c) = (draw.integer(UInt64(9000 + index), below: co), draw.integer(UInt64(9100 + index), below: ci))
            let (i, j) = (index % 3, index / 3 % 3)
            var sum = 0.0
            for n in 0..<shape.images {
                for y in 0..<oh {
                    for xx in 0..<ow {
                        let (fromY, fromX) = (y * shape.stride + i - 1, xx * shape.stride + j - 1)
                        guard fromY >= 0, fromY < h, fromX >= 0, fromX < w else { continue }
                        sum +=
                            slope[((n * oh + y) * ow + xx) * co + o]
                            * Double(xs[((n * h + fromY) * w + fromX) * ci + c])
                    }
                }
            }
            expected.append(Float(sum))
            got.append(dk[((o * ci + c) * 3 + i) * 3 + j])
        }
        #expect(relativeError(got, expected) < 1e-5)
    }
}
