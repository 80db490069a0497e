import CKernels
import Foundation
import Tensors
import Testing

/// Every loop of CKernels at every vector level that the processor has, in one process: levels agree up to rounding.
@Suite("Loops at every vector level")
struct KernelLevelTests {
    struct Loop: Sendable, CustomTestStringConvertible {
        let name: String
        /// Largest difference between levels, relative to values of unit size. Levels differ in rounding only: a product
        /// and a sum may be one operation or two.
        var tolerance: Float = 0
        /// What the loop writes for rows of n values.
        let run: @Sendable (_ n: Int) -> [Float]

        var testDescription: String { name }
    }

    private static let rows = 9
    private static func values(_ count: Int, _ stream: UInt64) -> [Float] {
        CounterGenerator(seed: 31, stream: stream).normal([count]).values
    }
    private static let a = values(1 << 17, 1)
    private static let b = values(1 << 17, 2)
    private static let c = values(1 << 17, 3)
    private static let positive = values(1 << 17, 4).map { abs($0) + 0.5 }

    /// What `body` leaves in memory that holds zeros first.
    private static func out(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
        var memory = [Float](repeating: 0, count: count)
        memory.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { body(base) } }
        return memory
    }

    private static func doubles(
        _ count: Int, _ body: (UnsafeMutablePointer<Double>) -> Void
    ) -> [Float] {
        var memory = [Double](repeating: 0, count: count)
        memory.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { body(base) } }
        return memory.map(Float.init)
    }

    private static func halves(_ count: Int, _ body: (UnsafeMutablePointer<UInt16>) -> Int32) -> [Float] {
        var memory = [UInt16](repeating: 0, count: count)
        let result = memory.withUnsafeMutableBufferPointer { $0.baseAddress.map(body) ?? 0 }
        return memory.map(Float.init) + [Float(result)]
    }

    /// Pairs of brain floats that `body` leaves, one after the other.
    private static func pairs(_ count: Int, _ body: (UnsafeMutablePointer<UInt32>) -> Void) -> [Float] {
        var memory = [UInt32](repeating: 0, count: count)
        memory.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { body(base) } }
        return memory.flatMap { [Float(bitPattern: $0 << 16), Float(bitPattern: $0 & 0xffff_0000)] }
    }

    private static let sixteen = a.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }

    private static let elementwise = [
        Loop(name: "ck_add") { n in out(n) { ck_add(a, b, $0, n) } },
        Loop(name: "ck_subtract") { n in out(n) { ck_subtract(a, b, $0, n) } },
        Loop(name: "ck_multiply") { n in out(n) { ck_multiply(a, b, $0, n) } },
        Loop(name: "ck_divide") { n in out(n) { ck_divide(a, positive, $0, n) } },
        Loop(name: "ck_add_scalar") { n in out(n) { ck_add_scalar(a, 1.7, $0, n) } },
        Loop(name: "ck_mix") { n in out(n) { ck_mix(a, 0.3, b, 1.7, $0, n) } },
        Loop(name: "ck_square_root") { n in out(n) { ck_square_root(a, $0, n) } },
        Loop(name: "ck_clamp") { n in out(n) { ck_clamp(a, -0.5, 0.8, $0, n) } },
        Loop(name: "ck_clamp_vjp") { n in out(n) { ck_clamp_vjp(a, b, -0.5, 0.8, $0, n) } },
        Loop(name: "ck_scale") { n in out(n) { ck_scale(a, 1.7, $0, n) } },
        Loop(name: "ck_add_row") { n in out(rows * n) { ck_add_row(a, b, $0, rows, n) } },
        Loop(name: "ck_sum_rows") { n in out(n) { ck_sum_rows(a, $0, rows, n) } },
        Loop(name: "ck_silu", tolerance: 1e-6) { n in out(n) { ck_silu(a, $0, n) } },
        Loop(name: "ck_silu_vjp", tolerance: 1e-6) { n in out(n) { ck_silu_vjp(a, b, $0, n) } },
        Loop(name: "ck_gelu", tolerance: 1e-6) { n in out(n) { ck_gelu(a, $0, n) } },
        Loop(name: "ck_gelu_vjp", tolerance: 1e-6) { n in out(n) { ck_gelu_vjp(a, b, $0, n) } },
        Loop(name: "ck_quick_gelu", tolerance: 1e-6) { n in out(n) { ck_quick_gelu(a, $0, n) } },
        Loop(name: "ck_quick_gelu_vjp", tolerance: 1e-6) { n in out(n) { ck_quick_gelu_vjp(a, b, $0, n) } },
        Loop(name: "ck_geglu", tolerance: 1e-6) { n in out(rows * n) { ck_geglu(a, $0, rows, n) } },
        Loop(name: "ck_geglu_vjp", tolerance: 1e-6) { n in out(2 * rows * n) { ck_geglu_vjp(a, b, $0, rows, n) } },
        Loop(name: "ck_sum_of_squares", tolerance: 1e-6) { n in [Float(ck_sum_of_squares(a, 20 * n))] },
        Loop(name: "ck_squared_distance", tolerance: 1e-6) { n in [Float(ck_squared_distance(a, b, 20 * n))] },
        Loop(name: "ck_all_finite") { n in
            [nil, Float.nan, .infinity, -.infinity].map { bad in
                var values = Array(a[..<n])
                if let bad { values[n - 1] = bad }
                return Float(ck_all_finite(values, n))
            }
        },
        Loop(name: "ck_widen_bfloat") { n in out(n) { ck_widen_bfloat(sixteen, $0, n) } },
        Loop(name: "ck_widen_half") { n in out(n) { ck_widen_half(sixteen, $0, n) } },
        Loop(name: "ck_narrow_bfloat") { n in halves(n) { ck_narrow_bfloat(a, $0, n) } },
        Loop(name: "ck_narrow_half") { n in halves(n) { ck_narrow_half(a, $0, n) } },
        Loop(name: "ck_adamw", tolerance: 1e-6) { n in
            out(3 * n) {
                ck_adamw(
                    a, b, c, positive, $0, $0 + n, $0 + 2 * n, n, 0.7, 1e-2, 0.9, 0.999, 1e-8, 1e-2, 0.19, 0.002)
            }
        },
    ]

    private static let normalization = [
        Loop(name: "ck_channel_moments", tolerance: 2e-6) { n in
            doubles(2 * n) { ck_channel_moments(a, 5 * rows, n, $0, $0 + n) }
        },
        Loop(name: "ck_affine", tolerance: 1e-6) { n in
            out(2 * rows * n) {
                ck_affine(a, b, c, $0, rows, n, 0)
                ck_affine(a, b, c, $0 + rows * n, rows, n, 1)
            }
        },
        Loop(name: "ck_affine_vjp_sums", tolerance: 2e-6) { n in
            var sums = [[Float]]()
            let gradients = [Int32(0), 1].flatMap { silu in
                out(rows * n) { to in
                    sums.append(doubles(2 * n) { ck_affine_vjp_sums(a, b, c, b, to, rows, n, silu, $0, $0 + n) })
                }
            }
            return gradients + sums.flatMap { $0 }
        },
        Loop(name: "ck_affine_combine", tolerance: 1e-6) { n in
            out(rows * n) { ck_affine_combine(a, b, c, a, b, $0, rows, n) }
        },
        Loop(name: "ck_layer_norm", tolerance: 2e-6) { n in
            out(rows * n) { ck_layer_norm(a, b, c, 1e-2, $0, rows, n) }
        },
        Loop(name: "ck_layer_norm_vjp", tolerance: 1e-5) { n in
            out((2 * rows + 2) * n) {
                ck_layer_norm_vjp(a, b, c, 1e-2, $0, $0 + rows * n, $0 + (rows + 1) * n, rows, n)
                ck_layer_norm_vjp(a, b, c, 1e-2, $0 + (rows + 2) * n, nil, nil, rows, n)
            }
        },
        Loop(name: "ck_softmax", tolerance: 1e-6) { n in
            let stride = (n + 15) / 16 * 16
            return out(rows * (stride + n + 1)) {
                ck_softmax(a, 0.8, $0, $0 + rows * (stride + n), rows, n, stride, 1, 3)
                ck_softmax(a, 0.8, $0 + rows * stride, nil, rows, n, n, 0, 0)
            }
        },
        Loop(name: "ck_softmax_online", tolerance: 1e-5) { n in
            let stride = (n + 15) / 16 * 16
            return out(rows * (stride + 2 + 5)) { x in
                let (top, total, result) = (x + rows * stride, x + rows * (stride + 1), x + rows * (stride + 2))
                for block in 0..<3 {
                    x.update(from: Array(a[block * 999..<block * 999 + rows * stride]), count: rows * stride)
                    ck_softmax_online(x, 0.8, top, total, result, 5, 5, block == 0 ? 1 : 0, rows, n, stride)
                    for index in 0..<rows * 5 { result[index] += b[index] }
                }
            }
        },
        Loop(name: "ck_softmax_finish", tolerance: 1e-6) { n in
            out(rows * (n + 1)) {
                $0.update(from: a, count: rows * n)
                ck_softmax_finish(b, positive, $0, n, n, $0 + rows * n, rows)
            }
        },
        Loop(name: "ck_softmax_again", tolerance: 1e-6) { n in
            out(rows * n) { ck_softmax_again(a, 0.8, positive, $0, rows, n, n, 1, 2) }
        },
        Loop(name: "ck_softmax_vjp", tolerance: 1e-6) { n in
            out(rows * n) { ck_softmax_vjp(positive, a, b, 0.8, $0, rows, n, n) }
        },
        Loop(name: "ck_row_products", tolerance: 1e-6) { n in
            out(rows) { ck_row_products(a, b, $0, rows, n, n + 3) }
        },
    ]

    private static let adapters = [
        Loop(name: "ck_scale_columns", tolerance: 1e-6) { n in
            out(2 * rows * n) {
                ck_scale_columns(a, b, c, $0, rows, n)
                ck_scale_columns(a, b, nil, $0 + rows * n, rows, n)
            }
        },
        Loop(name: "ck_scale_columns_vjp", tolerance: 1e-6) { n in
            out(rows * n + n) { ck_scale_columns_vjp(a, b, c, $0, $0 + rows * n, rows, n, n) }
        },
        Loop(name: "ck_column_dots", tolerance: 2e-6) { n in
            out(2 * n) {
                ck_column_dots(a, b, c, $0, rows, n, n + 2)
                ck_column_dots(a, b, nil, $0 + n, rows, n, n + 2)
            }
        },
        Loop(name: "ck_row_dots", tolerance: 2e-6) { n in out(rows) { ck_row_dots(a, b, $0, rows, n) } },
    ]

    private static let layouts = [
        Loop(name: "ck_gemm_pack") { n in
            let size = ck_gemm_packed_size(37, n)
            return out(2 * size) {
                ck_gemm_pack(a, n, 0, 37, n, 0, (n + 31) / 32, $0)
                ck_gemm_pack(a, 37, 1, 37, n, 0, (n + 31) / 32, $0 + size)
            }
        },
        Loop(name: "ck_gemm_unpack") { n in out(37 * n) { ck_gemm_unpack(a, 37, n, 0, (n + 31) / 32, $0) } },
        Loop(name: "ck_gemm_transpose") { n in
            out(ck_gemm_packed_size(n, 37)) { ck_gemm_transpose(a, 37, n, 0, 2, $0) }
        },
        Loop(name: "ck_panel_lengths", tolerance: 2e-6) { n in
            out(n * 32 + 29) {
                $0.update(from: a, count: 32 * n)
                ck_panel_lengths($0, n, 32, 29, positive, $0 + 32 * n)
            }
        },
        Loop(name: "ck_col2im") { n in
            out(6 * 5 * n) { ck_col2im(a, $0, 1, 7, 6, 5, Int32(n), 3, 3, 3, 2, 1, 1) }
        },
        Loop(name: "ck_upsample2x_vjp") { n in out(3 * 4 * n) { ck_upsample2x_vjp(a, $0, 3, 4, Int32(n)) } },
        Loop(name: "ck_winograd_input", tolerance: 1e-5) { n in
            let channels = (n + 15) / 16 * 16
            return out(2 * 36 * channels) {
                ck_winograd_input(a, 7, 8, Int32(channels), 1, 2, $0, channels)
                ck_winograd_input(a, 7, 8, Int32(channels), -1, 4, $0 + 36 * channels, channels)
            }
        },
        Loop(name: "ck_winograd_output", tolerance: 1e-5) { n in
            let channels = (n + 15) / 16 * 16
            return out(2 * 6 * 7 * channels) {
                ck_winograd_output(a, channels, 6, 7, Int32(channels), Int32(channels), 0, 0, b, $0)
                ck_winograd_output(
                    a, channels, 6, 7, Int32(channels), Int32(channels), 4, 4, nil, $0 + 42 * channels)
            }
        },
        Loop(name: "ck_winograd_kernel", tolerance: 1e-6) { n in
            out(36 * n * 32) { ck_winograd_kernel(a, 32, n, $0, n * 32) }
        },
        Loop(name: "ck_winograd_rotated_kernel", tolerance: 1e-6) { n in
            out(36 * 48 * 16) { ck_winograd_rotated_kernel(a, 32, 48, 16, 16, 0, 48, $0, 48 * 16) }
        },
        Loop(name: "ck_winograd_gradient", tolerance: 1e-5) { n in
            let channels = (n + 15) / 16 * 16
            return out(2 * 36 * channels) {
                ck_winograd_gradient(a, 7, 8, Int32(channels), Int32(channels), 0, 4, $0, channels)
                ck_winograd_gradient(a, 7, 6, Int32(channels), Int32(channels), 4, 4, $0 + 36 * channels, channels)
            }
        },
        Loop(name: "ck_winograd_kernel_gradient", tolerance: 1e-5) { _ in
            out(9 * 32 * 48) { ck_winograd_kernel_gradient(a, 32 * 48 + 16, 32, 48, 16, $0) }
        },
    ]

    private static let words = zip(a, b).map { $0.bitPattern >> 16 | $1.bitPattern & 0xffff_0000 }

    private static let brainFloats = [
        Loop(name: "ck_pair_pack") { n in
            let size = ck_pair_panels_size(37, n)
            return pairs(2 * size) {
                ck_pair_pack(a, n, 0, 37, n, 0, (n + 31) / 32, $0)
                ck_pair_pack(a, 37, 1, 37, n, 0, (n + 31) / 32, $0 + size)
            }
        },
        Loop(name: "ck_pair_unpack") { n in out(75 * n) { ck_pair_unpack(words, 75, n, 0, (n + 31) / 32, $0) } },
        Loop(name: "ck_pair_transpose") { n in
            pairs((n + 1) / 2 * 48) {
                ck_pair_transpose(words, 48, n, 0, 32, $0)
                ck_pair_transpose(words, 48, n, 32, 16, $0 + (n + 1) / 2 * 32)
            }
        },
        Loop(name: "ck_pair_rows") { n in
            let stride = (n + 1) / 2 + 2
            return pairs(2 * 21 * stride) {
                ck_pair_rows(a, n, 0, 21, n, $0, stride)
                ck_pair_rows(a, 21, 1, 21, n, $0 + 21 * stride, stride)
            }
        },
        // Neighbors of a brain float are 2⁻⁸ apart.
        Loop(name: "ck_pair_softmax", tolerance: 5e-3) { n in
            let (words, stride) = ((n + 15) / 16 * 8, n + 3)
            var rest = [Float]()
            let found = pairs(3 * rows * words) { p in
                rest = out(rows * (5 + 2)) { x in
                    for block in 0..<3 {
                        ck_pair_softmax(
                            Array(a[block * 999..<block * 999 + rows * stride]), 0.8, x + rows * 5, x + rows * 6,
                            p + block * rows * words, words, x, 5, 5, block == 0 ? 1 : 0, rows, n, stride)
                        for index in 0..<rows * 5 { x[index] += b[index] }
                    }
                }
            }
            return found + rest
        },
        // A sum in another order is rounded another way now and then.
        Loop(name: "ck_pair_winograd_input", tolerance: 2e-2) { n in
            let channels = (n + 15) / 16 * 16
            return pairs(2 * 16 * channels / 2) {
                ck_pair_winograd_input(a, 7, 8, Int32(channels), 1, 2, $0, channels / 2)
                ck_pair_winograd_input(a, 7, 8, Int32(channels), -1, 5, $0 + 8 * channels, channels / 2)
            }
        },
        Loop(name: "ck_pair_winograd_output", tolerance: 1e-5) { n in
            let channels = (n + 15) / 16 * 16
            return out(2 * 5 * 7 * channels) {
                ck_pair_winograd_output(a, channels, 5, 7, Int32(channels), Int32(channels), 0, 0, b, $0)
                ck_pair_winograd_output(
                    a, channels, 5, 7, Int32(channels), Int32(channels), 4, 6, nil, $0 + 35 * channels)
            }
        },
        Loop(name: "ck_pair_winograd_kernel", tolerance: 2e-2) { n in
            pairs(2 * 16 * n * 32) {
                ck_pair_winograd_kernel(words, 32 * n, 32, n, 0, $0, n * 32)
                ck_pair_winograd_kernel(words, 32 * n, 32, n, 1, $0 + 16 * n * 32, n * 32)
            }
        },
    ]

    static let loops = elementwise + normalization + adapters + layouts + brainFloats
    static let levels = ["default", "x86-64-v3", "x86-64-v4"]

    @Test(arguments: loops) func levelsAgree(loop: Loop) {
        defer { ck_hold_vector_level(nil) }
        for n in [1, 5, 16, 37, 200] {
            var reference: [Float] = []
            for level in Self.levels where ck_hold_vector_level(level) != 0 {
                let found = loop.run(n)
                if reference.isEmpty { reference = found }
                let worst = zip(found, reference).map { found, expected -> Float in
                    if found.bitPattern == expected.bitPattern { return 0 }
                    return abs(found - expected) / max(abs(expected), 1)
                }.max { $0 < $1 || $1.isNaN }
                #expect(found.count == reference.count)
                #expect(worst.map { $0 <= loop.tolerance } ?? false, "\(level), n = \(n): \(worst ?? .nan)")
            }
        }
    }

    /// A loop that is added without a line here fails this test.
    @Test func noLoopIsForgotten() throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = repository.appending(path: "Sources/CKernels")
        var names: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) where file.hasSuffix(".c") {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for match in text.matches(of: /(?m)^CK_(?:WIDE_)?LOOP\(\w+, (\w+)/) { names.insert(String(match.1)) }
        }
        #expect(names == Set(Self.loops.map(\.name)))
        #expect(names.count == Self.loops.count)
    }

    @Test func onlyLevelsThatTheProcessorHasCanBeHeld() {
        defer { ck_hold_vector_level(nil) }
        #expect(ck_hold_vector_level("x86-64-v9") == 0)
        #expect(ck_hold_vector_level("default") == 1)
        #expect(ck_hold_vector_level(nil) == 1)
    }
}
