import Foundation
import Tensors
import Testing
import Tuning

@Suite struct AdamWTests {
    /// The formula of torch.optim.AdamW in double precision.
    @Test func fiveStepsMatchTheFormula() {
        let settings = AdamW.Settings(learningRate: 1e-2, weightDecay: 0.1)
        var value = randomTensor([3, 7], seed: 1)
        var expected = value.values.map(Double.init)
        var (first, second) = ([Double](repeating: 0, count: 21), [Double](repeating: 0, count: 21))
        var optimizer = AdamW(settings: settings, shapes: [[3, 7]])
        for step in 1...5 {
            let gradient = randomTensor([3, 7], seed: UInt64(10 + step))
            value = optimizer.update([value], gradients: [gradient], clip: 0.5)[0]
            for (index, g) in gradient.values.enumerated() {
                let g = Double(g) * 0.5
                expected[index] *= 1 - 1e-2 * 0.1
                first[index] = 0.9 * first[index] + 0.1 * g
                second[index] = 0.999 * second[index] + 0.001 * g * g
                let mean = first[index] / (1 - pow(0.9, Double(step)))
                let root = (second[index] / (1 - pow(0.999, Double(step)))).squareRoot()
                expected[index] -= 1e-2 * mean / (root + 1e-8)
            }
        }
        #expect(optimizer.step == 5)
        #expect(relativeError(value.values, expected.map(Float.init)) < 1e-5)
    }

    @Test func clippingScalesDownOnlyWhatIsTooLong() {
        let gradients = [Tensor(shape: [2], values: [3, 0]), Tensor(shape: [1], values: [4])]
        #expect(globalNorm(gradients) == 5)
        #expect(abs(clipFactor(norm: 5, limit: 1) - 0.2) < 1e-6)
        #expect(clipFactor(norm: 0.5, limit: 1) == 1)
    }
}
