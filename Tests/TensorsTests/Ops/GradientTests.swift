import Tensors
import Testing

@Suite("Gradients of every op against central differences")
struct GradientTests {
    @Test func linearWithBias() { checkGradients([[3, 5, 8], [6, 8], [6]]) { linear($0[0], $0[1], bias: $0[2]) } }

    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
    func matrixProducts(transposeA: Bool, transposeB: Bool) {
        checkGradients([transposeA ? [7, 5] : [5, 7], transposeB ? [6, 7] : [7, 6]]) {
            matmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)
        }
    }

    @Test func convolution() {
        checkGradients([[2, 5, 6, 3], [4, 3, 3, 3], [4]]) {
            conv2d($0[0], PreparedConvolution($0[1]), bias: $0[2], padding: .uniform(1))
        }
    }

    @Test func stridedConvolutionWithUnevenPadding() {
        checkGradients([[1, 6, 6, 3], [4, 3, 3, 3]]) {
            conv2d(
                $0[0], PreparedConvolution($0[1]), stride: 2, padding: Padding(top: 0, left: 0, bottom: 1, right: 1))
        }
    }

    @Test func pointwiseConvolution() {
        checkGradients([[2, 3, 3, 5], [4, 5, 1, 1], [4]]) {
            conv2d($0[0], PreparedConvolution($0[1]), bias: $0[2], padding: .none)
        }
    }

    @Test func winogradConvolution() {
        checkGradients([[2, 9, 10, 16], [32, 16, 3, 3], [32]]) {
            conv2d($0[0], PreparedConvolution($0[1]), bias: $0[2], padding: .uniform(1))
        }
    }

    @Test(arguments: [Activation.none, .silu])
    func groupNormalization(activation: Activation) {
        checkGradients([[2, 3, 4, 8], [8], [8]]) {
            groupNorm($0[0], groups: 4, scale: $0[1], shift: $0[2], epsilon: 1e-5, activation: activation)
        }
    }

    @Test func layerNormalization() {
        checkGradients([[4, 21], [21], [21]]) { layerNorm($0[0], scale: $0[1], shift: $0[2], epsilon: 1e-5) }
    }

    @Test(arguments: [false, true])
    func scaledDotProductAttention(causal: Bool) {
        checkGradients([[2, 6, 8], [2, 6, 8], [2, 6, 8]]) {
            attention($0[0], $0[1], $0[2], heads: 2, causal: causal)
        }
    }

    @Test func crossAttention() {
        checkGradients([[1, 5, 8], [1, 9, 8], [1, 9, 8]]) { attention($0[0], $0[1], $0[2], heads: 4) }
    }

    @Test func activations() {
        checkGradients([[3, 40]]) { silu($0[0]) }
        checkGradients([[3, 40]]) { gelu($0[0]) }
        checkGradients([[3, 40]]) { quickGelu($0[0]) }
        checkGradients([[3, 40]]) { geglu($0[0]) }
        checkGradients([[3, 19]]) { softmax($0[0]) }
    }

    @Test func shapes() {
        checkGradients([[2, 3, 2, 5]]) { upsampleNearest2x($0[0]) }
        checkGradients([[2, 3, 5], [2, 3, 4]]) { concatenateChannels($0[0], $0[1]) }
        checkGradients([[2, 5], [3, 5]]) { concatenateBatch([$0[0], $0[1]]).batch(1..<4) }
        checkGradients([[2, 6]]) { $0[0].reshaped([3, 4]) }
        checkGradients([[2, 3, 2, 5]]) { $0[0].channelsFirst }
    }

    @Test func samplesTakenSeveralTimes() {
        checkGradients([[3, 2, 4]]) { $0[0].samples([2, 0, 2, 2]) }
        let x = Tensor(shape: [3, 2], values: [1, 2, 3, 4, 5, 6])
        #expect(x.samples([2, 0, 2]).values == [5, 6, 1, 2, 5, 6])
    }

    @Test func sums() {
        checkGradients([[2, 3, 4], [2, 4]]) { add($0[0], perSample: $0[1]) }
        checkGradients([[7], [7]]) { ($0[0] + $0[1] * 3) - $0[0] * 0.5 }
        checkGradients([[5, 3]]) { embedding($0[0], [4, 0, 4, 2], shape: [2, 2]) }
    }

    @Test func elementwise() {
        checkGradients([[3, 7], [3, 7]]) { product($0[0], $0[1]) }
        checkGradients([[3, 7], [3, 7]]) { quotient($0[0], $0[1] * 0.3 + 3) }
        // Differences do not do across a kink.
        let x = Tensor.parameter(Tensor(shape: [4], values: [-2, -0.5, 0.5, 2]))
        let loss = meanSquaredError(x.clamped(1), Tensor(filled: 3, shape: [4]))
        #expect(gradients(of: loss, for: [x])[0].values == [0, -1.75, -1.25, 0])
    }

    @Test func rowsAndColumns() {
        checkGradients([[5, 9], [5, 9]]) { rowDots($0[0], $0[1]) }
        checkGradients([[5, 9]]) { rowNorms(squared: rowSquares($0[0])) }
        checkGradients([[5, 9], [5]]) { scaleRows($0[0], by: $0[1]) }
        checkGradients([[5, 9], [9], [9]]) { scaleColumns($0[0], gain: $0[1], bias: $0[2]) }
        checkGradients([[5, 9], [9]]) { scaleColumns($0[0], gain: $0[1]) }
        checkGradients([[5, 9]]) { $0[0].transposed }
        checkGradients([[2, 3, 9]]) { $0[0].channels(2..<6) }
    }

    @Test func samplesWithFactorsOfTheirOwn() {
        checkGradients([[3, 2, 5], [3, 2, 5]]) { mix($0[0], $0[1], by: [(0.5, 2), (-1, 0.25), (3, 0)]) }
        checkGradients([[3, 2, 5], [3, 2, 5]]) { weightedMeanSquaredError($0[0], $0[1], weights: [0.5, 2, 0]) }
    }

    @Test(arguments: [false, true]) func lowRankLayers(bias: Bool) {
        let weight = PreparedLinear(CounterGenerator(seed: 4, stream: 0).normal([10, 12]) * 0.3)
        let bias = bias ? CounterGenerator(seed: 4, stream: 1).normal([10]) : nil
        // The norm takes no gradient, so it stays where it is.
        let norm = Tensor(shape: [10], values: (0..<10).map { 1 + 0.1 * Float($0) })
        checkGradients([[2, 7, 12], [3, 12], [10, 3]]) {
            lowRankLinear($0[0], weight, bias: bias, down: $0[1], up: $0[2], scale: 0.7)
        }
        checkGradients([[2, 7, 12], [3, 12], [10, 3], [10]]) {
            weightDecomposedLinear(
                $0[0], weight, bias: bias, down: $0[1], up: $0[2], magnitude: $0[3], norm: norm, scale: 0.7)
        }
    }

    @Test func checkpointingChangesNothing() {
        let weight = Tensor.parameter(CounterGenerator(seed: 3, stream: 0).normal([6, 6]))
        let x = Tensor.parameter(CounterGenerator(seed: 3, stream: 1).normal([4, 6]))
        let target = CounterGenerator(seed: 3, stream: 2).normal([4, 6])
        let block: @Sendable ([Tensor]) -> Tensor = { gelu(linear(silu($0[0]), weight)) + $0[0] }
        let plain = gradients(of: meanSquaredError(block([block([x])]), target), for: [x, weight])
        let saved = gradients(
            of: meanSquaredError(checkpoint([checkpoint([x], block)], block), target), for: [x, weight])
        for (a, b) in zip(plain, saved) { #expect(relativeError(a.values, b.values) < 1e-6) }
    }

    @Test func frozenTensorsCarryNoNode() {
        let x = CounterGenerator(seed: 3, stream: 1).normal([4, 6])
        let frozen = linear(silu(x), CounterGenerator(seed: 3, stream: 0).normal([6, 6]))
        #expect(!frozen.requiresGradient)
        #expect(linear(x, Tensor.parameter(x)).requiresGradient)
    }
}
