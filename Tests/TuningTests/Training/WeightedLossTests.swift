import Tensors
import Testing
import Tuning

@Suite struct WeightedLossTests {
    private let a = Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])
    private let b = Tensor(shape: [2, 3], values: [0, 2, 5, 4, 4, 9])

    @Test func weighsSamples() {
        let plain = meanSquaredError(a, b).values[0]
        #expect(abs(weightedMeanSquaredError(a, b, weights: [1, 1]).values[0] - plain) < 1e-6)
        // Squares of 1, 0, −2 and of 0, 1, −3, over six values.
        #expect(abs(weightedMeanSquaredError(a, b, weights: [0.5, 0]).values[0] - 2.5 / 6) < 1e-6)
        #expect(abs(weightedMeanSquaredError(a, b, weights: [0, 2]).values[0] - 20 / 6) < 1e-6)
    }

    @Test func itsGradientIsThatOfTheWeighedSamples() {
        let (x, y) = (Tensor.parameter(a), Tensor.parameter(b))
        let found = gradients(of: weightedMeanSquaredError(x, y, weights: [0.5, 3]), for: [x, y])
        let expected: [Float] = [1, 0, -2, 0, 6, -18].map { $0 / 6 }
        for (value, wanted) in zip(found[0].values, expected) { #expect(abs(value - wanted) < 1e-6) }
        for (value, wanted) in zip(found[1].values, expected) { #expect(abs(value + wanted) < 1e-6) }
    }
}
