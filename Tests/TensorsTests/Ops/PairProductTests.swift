import CKernels
import Foundation
import Tensors
import Testing

/// Products of brain floats against plain loops over rounded operands, by every instruction that the processor has.
@Suite("Products in bfloat16")
struct PairProductTests {
    static let units = ["float32", "avx512_bf16", "amx_bf16"].filter { unit in
        defer { ck_hold_pair_unit(nil) }
        return ck_hold_pair_unit(unit) != 0
    }

    private func normal(_ shape: [Int], _ stream: UInt64) -> Tensor {
        CounterGenerator(seed: 51, stream: stream).normal(shape)
    }

    /// To the nearest brain float, ties to even.
    static func rounded(_ x: Float) -> Float {
        let bits = x.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }

    /// x [m, k] · wᵀ [k, n] of rounded operands, in double precision.
    private func plain(_ x: [Float], _ w: [Float], _ m: Int, _ n: Int, _ k: Int) -> [Float] {
        let (x, w) = (x.map { Double(Self.rounded($0)) }, w.map { Double(Self.rounded($0)) })
        return (0..<m * n).map { index in
            let (i, j) = (index / n * k, index % n * k)
            var sum = 0.0
            for p in 0..<k { sum += x[i + p] * w[j + p] }
            return Float(sum)
        }
    }

    static let shapes = [
        (1, 1, 1), (1, 40, 7), (3, 5, 2), (12, 32, 64), (13, 33, 65), (47, 16, 100), (96, 17, 31), (5, 129, 1700),
        (50, 48, 900), (130, 96, 1025), (400, 70, 33), (8, 1100, 1000),
    ]

    @Test(arguments: units, shapes)
    func matchPlainLoops(unit: String, shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let (x, w, bias) = (normal([m, k], 1), normal([n, k], 2), normal([n], 3))
        let weight = PreparedLinear(w, precision: .bfloat16)
        #expect(weight.precision == .bfloat16)
        #expect(weight.values.values == w.values.map(Self.rounded))
        let leaf = Tensor.parameter(x)
        let (out, found) = holding(unit) {
            let out = linear(leaf, weight, bias: bias)
            return (out, gradients(of: meanSquaredError(out, Tensor(zeros: out.shape)), for: [leaf])[0])
        }
        // Each `values` is a copy.
        let (weights, biases) = (w.values, bias.values)
        let product = plain(x.values, weights, m, n, k)
        let expected = product.enumerated().map { $0.element + biases[$0.offset % n] }
        #expect(relativeError(out.values, expected) < 2e-6)

        let slope = out.values.map { 2 * $0 / Float(m * n) }
        let turned = (0..<k * n).map { weights[$0 % n * k + $0 / n] }
        #expect(relativeError(found.values, plain(slope, turned, m, k, n)) < 2e-6)
    }

    /// Threads other than the caller's take part, so a unit is held inside a job, where an op stays on its thread.
    private func holding<R: Sendable>(_ unit: String, _ body: () -> R) -> R {
        Parallel.map(2) { _ in
            #expect(ck_hold_pair_unit(unit) == 1)
            defer { ck_hold_pair_unit(nil) }
            return body()
        }[0]
    }

    @Test func aRowDoesNotDependOnTheOthers() {
        let (x, weight) = (normal([300, 320], 4), PreparedLinear(normal([640, 320], 5), precision: .bfloat16))
        let all = linear(x, weight).values
        for rows in [1, 2, 7, 48, 150] {
            #expect(linear(x.batch(0..<rows), weight).values == Array(all[0..<rows * 640]), "\(rows) rows")
        }
    }

    @Test func specialValuesStay() {
        let odd: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, 3.4e38, 1.00390625]
        let weight = PreparedLinear(Tensor(shape: [odd.count, 1], values: odd), precision: .bfloat16)
        let values = weight.values.values
        #expect(values[0].isNaN && values[1] == .infinity && values[2] == -.infinity)
        #expect(values[3] == 0 && values[4].sign == .minus && values[5] == 0)
        // Past the largest brain float, and a tie.
        #expect(values[6] == .infinity && values[7] == 1)
    }

    // MARK: Convolutions

    struct Convolution: Sendable {
        let shape: [Int]
        let outputs: Int
        var kernel = 3
        var stride = 1
        /// Winograd's form rounds what it transforms.
        var isTransformed = true
    }

    static let convolutions = [
        Convolution(shape: [2, 8, 8, 32], outputs: 48),
        Convolution(shape: [1, 7, 9, 48], outputs: 16),
        // Few and many tiles of kernels that are too large to keep.
        Convolution(shape: [1, 6, 6, 320], outputs: 272),
        Convolution(shape: [1, 40, 40, 272], outputs: 320),
        Convolution(shape: [2, 9, 8, 32], outputs: 40, stride: 2, isTransformed: false),
        Convolution(shape: [2, 5, 6, 34], outputs: 20, isTransformed: false),
        Convolution(shape: [2, 5, 6, 64], outputs: 48, kernel: 1, isTransformed: false),
    ]

    @Test(arguments: convolutions) func convolutionsMatchFloat32(_ c: Convolution) {
        let padding = Padding.uniform(c.kernel / 2)
        let weight = normal([c.outputs, c.shape[3], c.kernel, c.kernel], 6)
        let (bias, x) = (normal([c.outputs], 7), normal(c.shape, 8))
        func run(_ x: Tensor, _ w: Tensor, _ precision: Precision) -> (Tensor, Tensor) {
            let leaf = Tensor.parameter(x)
            let kernel = PreparedConvolution(w, precision: precision)
            #expect(kernel.precision == precision)
            let out = conv2d(leaf, kernel, bias: bias, stride: c.stride, padding: padding)
            return (out, gradients(of: meanSquaredError(out, normal(out.shape, 9)), for: [leaf])[0])
        }
        let got = run(x, weight, .bfloat16)
        let rounding = { (t: Tensor) in Tensor(shape: t.shape, values: t.values.map(Self.rounded)) }
        let exact = run(rounding(x), rounding(weight), .float32)
        // 2⁻⁹ at most for each factor; the transforms make 1.7 times of it.
        #expect(relativeError(got.0.values, exact.0.values) < (c.isTransformed ? 5e-3 : 2e-6))
        #expect(relativeError(got.1.values, exact.1.values) < (c.isTransformed ? 6e-3 : 3e-3))
    }

    @Test func anOddNumberOfChannelsStaysFloat32() {
        #expect(PreparedConvolution(normal([8, 3, 3, 3], 1), precision: .bfloat16).precision == .float32)
        #expect(PreparedLinear(Tensor.parameter(normal([8, 3], 1)), precision: .bfloat16).precision == .float32)
    }

    // MARK: Attention

    @Test(arguments: [(17, 17, true), (70, 77, false), (300, 1100, false)])
    func attentionMatchesFloat32(queries: Int, keys: Int, causal: Bool) {
        let (q, k, v) = (normal([2, queries, 80], 10), normal([2, keys, 80], 11), normal([2, keys, 80], 12))
        func run(_ precision: Precision) -> [Tensor] {
            let leaves = [q, k, v].map(Tensor.parameter)
            let out = attention(leaves[0], leaves[1], leaves[2], heads: 2, causal: causal, precision: precision)
            return [out] + gradients(of: meanSquaredError(out, normal(out.shape, 13)), for: leaves)
        }
        for (index, (got, expected)) in zip(run(.bfloat16), run(.float32)).enumerated() {
            #expect(relativeError(got.values, expected.values) < 2e-2, "result \(index)")
            #expect(relativeError(got.values, expected.values) > 1e-5, "result \(index) was not rounded")
        }
    }

    // MARK: AMX

    /// No processor here has tiles, so the loop over them runs with tiles in software.
    @Test(
        .enabled(if: units.contains("avx512_bf16"), "what tiles leave over goes through AVX-512"),
        arguments: [
            (32, 16, 2), (16, 48, 1), (50, 37, 2), (7, 64, 2), (47, 15, 1), (33, 100, 2),
        ])
    func tilesComputeTheSame(rows: Int, pairs: Int, vectors: Int) {
        let (x, w) = (normal([rows, 2 * pairs], 14), normal([16 * vectors, 2 * pairs], 15))
        let stride = pairs + 3
        var a = [UInt32](repeating: 0, count: rows * stride)
        var panel = [UInt32](repeating: 0, count: ck_pair_panels_size(2 * pairs, 16 * vectors))
        let expected = plain(x.values, w.values, rows, 16 * vectors, 2 * pairs)
        var out = [Float](repeating: 0, count: rows * 16 * vectors)
        ck_pair_rows(x.values, 2 * pairs, 0, rows, 2 * pairs, &a, stride)
        ck_pair_pack(w.values, 2 * pairs, 1, 2 * pairs, 16 * vectors, 0, 1, &panel)
        ck_amx_columns_in_software(Int32(vectors), rows, pairs, a, stride, panel, nil, 0, &out, 16 * vectors)
        #expect(relativeError(out, expected) < 2e-6)
        // From a bias, and added to what is there.
        let bias = [Float](repeating: 3, count: 16 * vectors)
        ck_amx_columns_in_software(Int32(vectors), rows, pairs, a, stride, panel, bias, 0, &out, 16 * vectors)
        #expect(relativeError(out, expected.map { $0 + 3 }) < 2e-6)
        out.withUnsafeMutableBufferPointer { buffer in
            let base = buffer.baseAddress!
            ck_amx_columns_in_software(
                Int32(vectors), rows, pairs, a, stride, panel, base, 16 * vectors, base, 16 * vectors)
        }
        #expect(relativeError(out, expected.map { 2 * $0 + 3 }) < 2e-6)
    }

    @Test func tilesAreUsedWhereTheSystemGrantsThem() {
        let plain = Int32(CK_PAIRS_PLAIN.rawValue), pairs = Int32(CK_PAIRS_AVX512.rawValue)
        #expect(ck_pair_unit_of(2, 1, 1, 1) == Int32(CK_PAIRS_AMX.rawValue))
        #expect(ck_pair_unit_of(2, 1, 1, 0) == pairs)
        #expect(ck_pair_unit_of(2, 1, 0, 0) == pairs)
        #expect(ck_pair_unit_of(2, 0, 0, 0) == plain)
        #expect(ck_pair_unit_of(1, 1, 1, 1) == plain)
        #expect(ck_pair_unit_of(0, 0, 0, 0) == plain)
        #expect(ck_hold_pair_unit("tensor cores") == 0)
    }
}
