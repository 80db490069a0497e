/// Weighted sums of rows, as an interpolation takes them: row i of the result is Σ weight·x[row] over `sums[i]`, in that
/// order.
///
/// - Parameters:
///   - x: `[rows, C]`.
///   - sums: for each row of the result, which rows of `x` with which weights.
/// - Returns: `[sums.count, C]`.
package func weightedRows(_ x: Tensor, _ sums: [[(row: Int, weight: Float)]]) -> Tensor {
    let channels = x.channels
    let value = Tensor(shape: [sums.count, channels]) { out in
        out.initialize(repeating: 0)
        x.withValues { values in
            for (place, terms) in sums.enumerated() {
                for (row, weight) in terms {
                    for c in 0..<channels { out[place * channels + c] += weight * values[row * channels + c] }
                }
            }
        }
    }
    return Tensor(value: value, parents: [x]) { [shape = x.shape] gradient in
        [
            Tensor(shape: shape) { out in
                out.initialize(repeating: 0)
                gradient.withValues { values in
                    for (place, terms) in sums.enumerated() {
                        for (row, weight) in terms {
                            for c in 0..<channels { out[row * channels + c] += weight * values[place * channels + c] }
                        }
                    }
                }
            }
        ]
    }
}

/// The sum of all rows: `[rows, C]` → `[C]`.
package func columnSums(_ x: Tensor) -> Tensor {
    weightedRows(x.reshaped([x.rows, x.channels]), [(0..<x.rows).map { (row: $0, weight: Float(1)) }]).reshaped([
        x.channels
    ])
}

/// The mean of each cell of a square grid over channels-first images: `[C, H, W]` → `[C, grid, grid]`. Cells of images
/// smaller than the grid overlap. Takes no gradients.
package func cellMeans(_ x: Tensor, grid: Int) -> Tensor {
    precondition(x.shape.count == 3, "cells of an image [C, H, W], not of \(x.shape)")
    let (height, width) = (x.shape[1], x.shape[2])
    func cell(_ index: Int, _ size: Int) -> Range<Int> {
        let start = index * size / grid
        return start..<max((index + 1) * size / grid, start + 1)
    }
    return Tensor(shape: [x.shape[0], grid, grid]) { out in
        x.withValues { values in
            for place in out.indices {
                let (channel, row, column) = (place / (grid * grid), place / grid % grid, place % grid)
                let (rows, columns) = (cell(row, height), cell(column, width))
                var sum: Float = 0
                for y in rows { for x in columns { sum += values[(channel * height + y) * width + x] } }
                out[place] = sum / Float(rows.count * columns.count)
            }
        }
    }
}
