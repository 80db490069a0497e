import Tensors
import Testing

/// Products of every kind of shape against plain loops.
@Suite("Matrix products")
struct ProductTests {
    private func values(_ count: Int, stream: UInt64) -> Tensor {
        CounterGenerator(seed: 11, stream: stream).normal([count])
    }

    /// Sums in double precision; a[i, p] lies at i·rowStep + p·step, and b likewise.
    private func plain(
        _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], transposeA: Bool, transposeB: Bool
    ) -> [Float] {
        var out = [Float](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for p in 0..<k {
                    let left = transposeA ? a[p * m + i] : a[i * k + p]
                    sum += Double(left) * Double(transposeB ? b[j * k + p] : b[p * n + j])
                }
                out[i * n + j] = Float(sum)
            }
        }
        return out
    }

    static let shapes = [
        (1, 1, 1), (1, 40, 7), (3, 5, 2), (12, 32, 64), (13, 33, 65), (47, 16, 100), (96, 17, 31), (5, 129, 800),
        (40, 48, 900), (200, 48, 1025), (130, 96, 1024), (400, 70, 33),
    ]

    @Test(arguments: shapes, [(false, false), (true, false), (false, true), (true, true)])
    func matchPlainLoops(shape: (Int, Int, Int), transposes: (Bool, Bool)) {
        let (m, n, k) = shape
        let (a, b) = (values(m * k, stream: 1), values(k * n, stream: 2))
        let got = matmul(
            a.reshaped(transposes.0 ? [k, m] : [m, k]), b.reshaped(transposes.1 ? [n, k] : [k, n]),
            transposeA: transposes.0, transposeB: transposes.1)
        let expected = plain(m, n, k, a.values, b.values, transposeA: transposes.0, transposeB: transposes.1)
        #expect(got.shape == [m, n])
        #expect(relativeError(got.values, expected) < 2e-6)
    }

    @Test(arguments: shapes)
    func packedWeightsGoBothWays(m: Int, n: Int, k: Int) {
        let (x, bias) = (values(m * k, stream: 3).reshaped([m, k]), values(n, stream: 4))
        let matrix = values(n * k, stream: 5).reshaped([n, k])
        let weight = PreparedLinear(matrix)
        #expect(weight.values.values == matrix.values)
        let product = plain(m, n, k, x.values, matrix.values, transposeA: false, transposeB: true)
        let biases = bias.values
        let expected = product.enumerated().map { $0.element + biases[$0.offset % n] }
        #expect(relativeError(linear(x, weight, bias: bias).values, expected) < 2e-6)

        let leaf = Tensor.parameter(x)
        let target = values(m * n, stream: 6).reshaped([m, n])
        let found = gradients(of: meanSquaredError(linear(leaf, weight), target), for: [leaf])[0]
        let slope = zip(product, target.values).map { 2 * ($0 - $1) / Float(m * n) }
        let back = plain(m, k, n, slope, matrix.values, transposeA: false, transposeB: false)
        #expect(relativeError(found.values, back) < 1e-5)
    }

    @Test(arguments: [WeightPrecision.float16, .bfloat16])
    func narrowWeightsGiveTheSameBytes(precision: WeightPrecision) {
        let x = values(40 * 96, stream: 9).reshaped([40, 96])
        // Eight bits of mantissa fit both formats; the other matrix fits neither.
        let fitting = values(64 * 96, stream: 10).values.map { Float(bitPattern: $0.bitPattern & 0xffff_0000) }
        let clipped = fitting.map { abs($0) < 1e-3 ? 0.5 : $0 }
        for matrix in [clipped, values(64 * 96, stream: 10).values] {
            let tensor = Tensor(shape: [64, 96], values: matrix)
            let (plain, narrow) = (PreparedLinear(tensor), PreparedLinear(tensor, keptAs: precision))
            #expect(narrow.values.values == matrix)
            #expect(linear(x, narrow).values == linear(x, plain).values)
        }
        let kernel = Tensor(shape: [16, 32, 3, 3], values: Array(clipped[0..<16 * 32 * 9]))
        let image = values(2 * 8 * 8 * 32, stream: 12).reshaped([2, 8, 8, 32])
        func convolved(_ precision: WeightPrecision) -> (Tensor, Tensor) {
            let leaf = Tensor.parameter(image)
            let out = conv2d(leaf, PreparedConvolution(kernel, keptAs: precision), padding: .uniform(1))
            let loss = meanSquaredError(out, Tensor(zeros: out.shape))
            return (out, gradients(of: loss, for: [leaf])[0])
        }
        let (plain, narrow) = (convolved(.float32), convolved(precision))
        #expect(plain.0.values == narrow.0.values && plain.1.values == narrow.1.values)
    }

    /// A row of a product does not depend on how many others there are.
    @Test(.enabled(if: VectorLevel.hasOwnProducts, "OpenBLAS makes no such promise"))
    func rowsAreIndependent() {
        let (x, weight) = (
            values(300 * 320, stream: 7).reshaped([300, 320]),
            PreparedLinear(values(640 * 320, stream: 8).reshaped([640, 320]))
        )
        let all = linear(x, weight).values
        for rows in [1, 2, 7, 48, 150] {
            #expect(linear(x.batch(0..<rows), weight).values == Array(all[0..<rows * 640]), "\(rows) rows")
        }
    }
}
