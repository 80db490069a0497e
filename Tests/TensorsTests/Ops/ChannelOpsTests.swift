import Foundation
import Tensors
import Testing

@Suite struct ChannelOpsTests {
    @Test func gradientsAreThoseOfDifferences() {
        checkGradients([[2, 3, 4]], onHost: true) {
            $0[0].standardized(mean: [0.5, -1, 2, 0], deviation: [1, 2, 0.5, 4], scale: 0.75)
        }
        checkGradients([[2, 3, 4]], onHost: true) {
            $0[0].destandardized(mean: [0.5, -1, 2, 0], deviation: [1, 2, 0.5, 4], scale: 0.75)
        }
        checkGradients([[3, 7]], onHost: true) { mish($0[0]) }
        checkGradients([[4, 3]], onHost: true) {
            weightedRows($0[0], [[(row: 1, weight: 0.5), (row: 3, weight: -2)], [], [(0, 1)]])
        }
        checkGradients([[5, 3]], onHost: true) { columnSums($0[0]) }
    }

    @Test func standardizingIsUndone() {
        let x = Tensor(shape: [2, 2], values: [3, -4, 5, 6])
        let scaled = x.standardized(mean: [1, 2], deviation: [2, 4], scale: 0.5)
        #expect(scaled.values == [0.5, -0.75, 1, 0.5])
        #expect(scaled.destandardized(mean: [1, 2], deviation: [2, 4], scale: 0.5).values == x.values)
    }

    /// PyTorch's values.
    @Test func activationsAreThoseOfPyTorch() {
        let x = Tensor(shape: [5], values: [-30, -1, 0, 2, 25])
        #expect(relu(x).values == [0, 0, 0, 2, 25])
        for (a, b) in zip(mish(x).values, [-2.8073e-12, -0.30340147, 0, 1.943959, 25] as [Float]) {
            #expect(abs(a - b) <= 1e-6 * max(1, abs(b)))
        }
        let parameter = Tensor.parameter(x)
        let loss = meanSquaredError(relu(parameter), Tensor(zeros: [5]))
        for (a, b) in zip(gradients(of: loss, for: [parameter])[0].values, [0, 0, 0, 0.8, 10] as [Float]) {
            #expect(abs(a - b) < 1e-5)
        }
    }

    @Test func cellsOfASmallImageOverlap() {
        let x = Tensor(shape: [2, 2, 3], values: (0..<12).map { Float($0) })
        #expect(cellMeans(x, grid: 1).values == [2.5, 8.5])
        #expect(cellMeans(x, grid: 2).values == [0, 1.5, 3, 4.5, 6, 7.5, 9, 10.5])
        #expect(cellMeans(x, grid: 3).values.prefix(9) == [0, 1, 2, 0, 1, 2, 3, 4, 5])
    }
}
