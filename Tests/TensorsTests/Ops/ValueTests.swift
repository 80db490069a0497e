import Foundation
import Tensors
import Testing

@Suite("Values of ops against plain loops")
struct ValueTests {
    /// The definition of a convolution, in double precision.
    private func convolved(_ x: Tensor, _ w: Tensor, _ bias: [Float], stride: Int, padding: Padding) -> [Float] {
        let (n, h, wd, ci) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let (co, kh, kw) = (w.shape[0], w.shape[2], w.shape[3])
        let oh = (h + padding.top + padding.bottom - kh) / stride + 1
        let ow = (wd + padding.left + padding.right - kw) / stride + 1
        let (xs, ws) = (x.values, w.values)
        var out: [Float] = []
        for image in 0..<n {
            for (oy, ox, o) in product(oh, ow, co) {
                var sum = Double(bias[o])
                for (i, j, c) in product(kh, kw, ci) {
                    let (y, xx) = (oy * stride - padding.top + i, ox * stride - padding.left + j)
                    guard y >= 0, y < h, xx >= 0, xx < wd else { continue }
                    sum +=
                        Double(xs[((image * h + y) * wd + xx) * ci + c]) * Double(ws[((o * ci + c) * kh + i) * kw + j])
                }
                out.append(Float(sum))
            }
        }
        return out
    }

    private func product(_ a: Int, _ b: Int, _ c: Int) -> [(Int, Int, Int)] {
        (0..<a * b * c).map { ($0 / (b * c), $0 / c % b, $0 % c) }
    }

    @Test(arguments: [
        (3, 5, 7, 6, 1), (16, 32, 16, 16, 1), (48, 16, 13, 22, 1), (16, 16, 12, 12, 2), (80, 64, 9, 16, 1),
    ])
    func convolutionMatchesItsDefinition(inputs: Int, outputs: Int, height: Int, width: Int, stride: Int) {
        let x = CounterGenerator(seed: 1, stream: 1).normal([2, height, width, inputs])
        let w = CounterGenerator(seed: 1, stream: 2).normal([outputs, inputs, 3, 3])
        let bias = CounterGenerator(seed: 1, stream: 3).normal([outputs])
        let got = conv2d(x, PreparedConvolution(w), bias: bias, stride: stride, padding: .uniform(1))
        let expected = convolved(x, w, bias.values, stride: stride, padding: .uniform(1))
        #expect(relativeError(got.values, expected) < 1e-5)
    }

    @Test func geluIsExact() {
        let xs = stride(from: -9.0, through: 9.0, by: 0.01).map { Float($0) }
        let got = gelu(Tensor(shape: [xs.count], values: xs)).values
        for (x, y) in zip(xs, got) {
            let exact = Double(x) * 0.5 * erfc(-Double(x) / 2.0.squareRoot())
            #expect(abs(Double(y) - exact) < 1e-6 * max(1, abs(exact)))
        }
    }

    @Test func siluReachesItsLimits() {
        let got = silu(Tensor(shape: [4], values: [-200, -1, 0, 200])).values
        #expect(abs(got[0]) < 1e-30 && got[2] == 0 && got[3] == 200)
        #expect(abs(got[1] + 0.268_941_42) < 1e-6)
    }

    @Test func largeAttentionMatchesItsDefinition() {
        let (length, keys, channels, heads) = (300, 700, 24, 3)
        let q = CounterGenerator(seed: 2, stream: 1).normal([2, length, channels])
        let k = CounterGenerator(seed: 2, stream: 2).normal([2, keys, channels])
        let v = CounterGenerator(seed: 2, stream: 3).normal([2, keys, channels])
        let got = attention(q, k, v, heads: heads).values
        let (qs, ks, vs) = (q.values, k.values, v.values)
        let size = channels / heads
        for (n, i, h) in [(0, 0, 0), (1, 299, 2), (1, 150, 1), (0, 201, 2)] {
            let scores = (0..<keys).map { s in
                (0..<size).reduce(0.0) {
                    $0 + Double(qs[(n * length + i) * channels + h * size + $1])
                        * Double(ks[(n * keys + s) * channels + h * size + $1])
                } / Double(size).squareRoot()
            }
            let total = scores.reduce(0) { $0 + exp($1) }
            for c in 0..<size {
                let expected = (0..<keys).reduce(0.0) {
                    $0 + exp(scores[$1]) / total * Double(vs[(n * keys + $1) * channels + h * size + c])
                }
                #expect(abs(Double(got[(n * length + i) * channels + h * size + c]) - expected) < 1e-5)
            }
        }
    }

    @Test func halvesAreWidenedWhereverTheyLie() {
        let halves = (0..<70_001).map { UInt16(truncatingIfNeeded: $0 &* 31) & 0x7bff }
        let expected = halves.map { Float(Float16(bitPattern: $0)) }
        for offset in [0, 1] {
            let bytes = [UInt8](repeating: 0, count: offset) + halves.withUnsafeBytes { Array($0) }
            let found = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map { Tensor(widening: $0 + offset, of: .float16, shape: [halves.count]).values }
            }
            #expect(found == expected, "at offset \(offset)")
        }
    }

    /// Products are rounded before they are added, as in the formulas of samplers and schedules.
    @Test func mixingRoundsEachProduct() {
        let (a, b) = (
            CounterGenerator(seed: 6, stream: 1).normal([2, 33]), CounterGenerator(seed: 6, stream: 2).normal([2, 33])
        )
        let got = mix(a, b, by: [(0.3, 0.7), (1.1, -0.9)]).values
        let (xs, ys) = (a.values, b.values)
        for index in got.indices {
            let (s, t): (Float, Float) = index < 33 ? (0.3, 0.7) : (1.1, -0.9)
            #expect(got[index] == s * xs[index] + t * ys[index])
        }
    }

    @Test func clampingKeepsNaN() {
        let got = Tensor(shape: [5], values: [-3, -1, .nan, 0.5, .infinity]).clamped(1).values
        #expect(got[0] == -1 && got[1] == -1 && got[2].isNaN && got[3] == 0.5 && got[4] == 1)
        #expect(rowNorms(squared: Tensor(shape: [3], values: [4, -1e-9, .nan])).values[0...1] == [2, 0])
        #expect(rowNorms(squared: Tensor(shape: [1], values: [.nan])).values[0].isNaN)
    }

    @Test func tensorsSayWhatAndWhereTheyAre() {
        let x = Tensor(zeros: [2, 3])
        #expect(x.dtype == .float32 && x.device == .cpu && x.dtype.byteCount == 4)
    }

    @Test func theSameBytesEveryTime() {
        func once() -> [Float] {
            let x = CounterGenerator(seed: 5, stream: 1).normal([3, 16, 16, 64])
            let w = PreparedConvolution(CounterGenerator(seed: 5, stream: 2).normal([64, 64, 3, 3]))
            let ones = Tensor(filled: 1, shape: [64])
            let y = groupNorm(
                conv2d(x, w, padding: .uniform(1)), groups: 32, scale: ones, shift: ones, epsilon: 1e-5,
                activation: .silu)
            let tokens = y.reshaped([3, 256, 64])
            return attention(tokens, tokens, tokens, heads: 4).values
        }
        let first = once()
        for _ in 0..<5 { #expect(once() == first) }
    }
}
