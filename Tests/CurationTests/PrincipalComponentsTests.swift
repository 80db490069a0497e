import Curation
import Foundation
import Tensors
import Testing

@Suite struct PrincipalComponentsTests {
    /// Vectors that vary by 9, 4 and 1 along three directions that are at right angles, and hardly elsewhere.
    private static func made(count: Int = 4000, width: Int = 30) -> (values: [Float], axes: [[Double]]) {
        let draws = CounterGenerator(seed: 5, stream: 1).normal([count, 3]).values
        let noise = CounterGenerator(seed: 6, stream: 1).normal([count, width]).values
        let axes = (0..<3).map { axis in
            (0..<width).map { column in column % 3 == axis ? (column % 2 == 0 ? 1.0 : -0.6) : 0 }
        }.map { axis -> [Double] in
            let length = axis.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return axis.map { $0 / length }
        }
        let scales = [9.0, 4.0, 1.0]
        var values: [Float] = []
        for row in 0..<count {
            for column in 0..<width {
                var sum = 5.0
                for axis in 0..<3 { sum += scales[axis] * Double(draws[3 * row + axis]) * axes[axis][column] }
                values.append(Float(sum) + 0.01 * noise[row * width + column])
            }
        }
        return (values, axes)
    }

    @Test func theAxesAreThoseOfTheLargestVariance() throws {
        let (values, axes) = Self.made()
        let found = try PrincipalComponents(values, width: 30, source: "test")
        // Variances of 81, 16 and 1.
        #expect(abs(found.shares[0] - 81.0 / 98) < 0.02 && abs(found.shares[1] - 16.0 / 98) < 0.02)
        let placed = found.project(values)
        for (axis, scale) in [(0, 9.0), (1, 4.0)] {
            let line = (0..<4000).map { Double(placed[2 * $0 + axis]) }
            let spread = (line.reduce(0) { $0 + $1 * $1 } / 4000).squareRoot()
            #expect(abs(spread - scale) < 0.4, "axis \(axis)")
            // Along the direction that was built in, up to its sign.
            let along = (0..<4000).map { row -> Double in
                var sum = 0.0
                for column in 0..<30 { sum += Double(values[30 * row + column] - 5) * axes[axis][column] }
                return sum
            }
            let (a, b) = (line.reduce(0) { $0 + $1 * $1 }, along.reduce(0) { $0 + $1 * $1 })
            let cosine = zip(line, along).reduce(0) { $0 + $1.0 * $1.1 } / (a * b).squareRoot()
            #expect(abs(cosine) > 0.999, "axis \(axis)")
        }
        #expect(
            try PrincipalComponents(values, width: 30, source: "test").project(values) == placed, "the same each time")
    }

    @Test func vectorsThatVaryInOneDirectionOrNone() throws {
        let line = (0..<50).flatMap { index -> [Float] in [Float(index), Float(2 * index), 0] }
        let found = try PrincipalComponents(line, width: 3, source: "test")
        #expect(abs(found.shares[0] - 1) < 1e-9 && found.shares[1] < 1e-9)
        let placed = found.project(line)
        #expect((0..<50).allSatisfy { abs(placed[2 * $0 + 1]) < 1e-4 })
        #expect(placed[98] > placed[0], "the largest value of an axis is positive")
        let same = try PrincipalComponents([Float](repeating: 3, count: 40), width: 4, source: "test")
        #expect(same.shares == [0, 0] && same.project([3, 3, 3, 3]) == [0, 0])
        let narrow = try PrincipalComponents([1, 2, 3, 4], width: 1, source: "test")
        #expect(narrow.shares[1] == 0)
    }

    @Test func whatIsNoNumberIsNamed() {
        #expect {
            try PrincipalComponents([1, 2, .nan, 4], width: 2, source: "dinov2")
        } throws: { "\($0)".hasPrefix("dinov2: vector 1 has a value that is nan") }
        #expect(throws: CurationError.self) { try PrincipalComponents([], width: 2, source: "test") }
    }
}
