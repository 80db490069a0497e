import Tensors

/// Position embeddings of a grid of patches, `[rows·columns, C]`, fitted to another grid as PyTorch's bicubic
/// interpolation does (a = −0.75, without antialiasing, corners not aligned).
enum PositionGrid {
    /// - Parameters:
    ///   - positions: `[side², C]`.
    ///   - side: of the square grid.
    /// - Returns: `[rows·columns, C]`.
    static func fitted(_ positions: Tensor, side: Int, rows: Int, columns: Int) -> Tensor {
        if rows == side, columns == side { return positions }
        let (down, across) = (taps(from: side, to: rows), taps(from: side, to: columns))
        let sums = down.flatMap { rowTaps in
            across.map { columnTaps in
                rowTaps.flatMap { y, yWeight in
                    columnTaps.map { x, xWeight in (row: y * side + x, weight: yWeight * xWeight) }
                }
            }
        }
        return weightedRows(positions, sums)
    }

    /// For each place of the result, the four nearest inputs with their weights; beyond the edge its value is repeated.
    private static func taps(from count: Int, to newCount: Int) -> [[(Int, Float)]] {
        let scale = Float(count) / Float(newCount)
        return (0..<newCount).map { index in
            let place = (Float(index) + 0.5) * scale - 0.5
            let start = Int(place.rounded(.down))
            let t = place - Float(start)
            let weights = [outer(t + 1), inner(t), inner(1 - t), outer(2 - t)]
            return weights.enumerated().map { (min(max(start - 1 + $0, 0), count - 1), $1) }
        }
    }

    private static let a: Float = -0.75
    /// The cubic kernel up to 1, and from 1 to 2.
    private static func inner(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
    private static func outer(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
}
