/// out [m, n] = a [m, k] · b [k, n], plus `bias` by columns or beta (0 or 1) times what `out` held, on all cores.
func gemm(
    _ m: Int, _ n: Int, _ k: Int, _ a: Matrix, _ b: Matrix, bias: UnsafePointer<Float>? = nil, beta: Float = 0,
    into out: UnsafeMutablePointer<Float>, stride: Int
) {
    guard m > 0, n > 0 else { return }
    withScratch(RightHandSide.packedCount(k, n)) { scratch in
        gemm(
            m, a, RightHandSide(packing: b, k, n, for: m, into: scratch), bias: bias, beta: beta, into: out,
            stride: stride)
    }
}

/// The same with a right-hand side that is packed already.
///
/// Tiles cut m and n (never k, so a value is summed in one order whatever the tiling); their sizes follow from the shape, and with
/// more than eight threads from their number.
func gemm(
    _ m: Int, _ a: Matrix, _ right: RightHandSide, bias: UnsafePointer<Float>? = nil, beta: Float = 0,
    into out: UnsafeMutablePointer<Float>, stride: Int
) {
    precondition(beta == 0 || (beta == 1 && bias == nil), "a product is added to a bias or to what was there")
    guard m > 0, right.columns > 0 else { return }
    let accumulating = beta == 1
    guard m * right.columns * right.rows >= PathSizes.sharedProduct else {
        right.multiply(a, rows: m, bias: bias, accumulating: accumulating, into: out, stride: stride)
        return
    }
    let tiling = GemmTiling(m, right)
    guard right.precision == .bfloat16, tiling.readsRowsAgain else {
        return gemm(m, .values(a), right, tiling, bias: bias, accumulating: accumulating, into: out, stride: stride)
    }
    // Rounded once, not by every tile; a vector more between rows, which must not lie a power of two apart.
    let rowStride = (right.rows + 1) / 2 + 16
    withScratch(m * rowStride) { scratch in
        round(a, rows: m, right.rows, into: scratch.pairs, stride: rowStride)
        gemm(
            m, .pairs(PairMatrix(pointer: scratch.pairs, stride: rowStride)), right, tiling, bias: bias,
            accumulating: accumulating, into: out, stride: stride)
    }
}

private func gemm(
    _ m: Int, _ a: LeftHandSide, _ right: RightHandSide, _ tiling: GemmTiling, bias: UnsafePointer<Float>?,
    accumulating: Bool, into out: UnsafeMutablePointer<Float>, stride: Int
) {
    nonisolated(unsafe) let (a, bias, out) = (a, bias, out)
    Parallel.forEach(tiling.count) { index in
        let tile = tiling.tile(index)
        for first in Swift.stride(from: tile.rows.lowerBound, to: tile.rows.upperBound, by: tiling.blockRows) {
            right.multiply(
                a.dropping(rows: first), rows: min(tiling.blockRows, tile.rows.upperBound - first),
                panels: tile.panels, bias: bias, accumulating: accumulating, into: out + first * stride,
                stride: stride)
        }
    }
}

/// How a product is cut so that what a tile reads again and again stays in its core's second-level cache: rows of the
/// left side where these are many, panels of the right side where that is the larger one.
private struct GemmTiling {
    private let m, panelCount: Int
    private var rowGrain, panelGrain: Int
    /// Rows that pass all panels of a tile before the next do.
    private(set) var blockRows: Int

    private static let cachedValues = 96_000
    /// Rows of a register tile (gemm.c).
    private static let tileRows = 12

    init(_ m: Int, _ right: RightHandSide) {
        self.m = m
        panelCount = max(right.panelCount, 1)
        let cachedValues = right.precision == .bfloat16 ? 2 * Self.cachedValues : Self.cachedValues
        guard RightHandSide.packs(right.precision) else {
            // OpenBLAS packs both operands again for each tile, so tiles are few and large.
            let parts = m >= 8192 ? 16 : m >= 512 ? 4 : m >= 128 ? 2 : 1
            rowGrain = ((m + parts - 1) / parts + 15) / 16 * 16
            panelGrain = m >= 512 ? panelCount : (panelCount + 3) / 4
            blockRows = rowGrain
            return
        }
        let fitting = min(max(cachedValues / max(right.rows, 1) / Self.tileRows * Self.tileRows, 48), 384)
        if right.rows * right.columns > PathSizes.wideProduct && right.columns >= m {
            blockRows = fitting
            rowGrain = m
            let panels = cachedValues / (max(right.rows, 1) * RightHandSide.panelWidth)
            panelGrain = min(max(panels, 4), (panelCount + 7) / 8)
        } else {
            // Sixteen tiles or more, so that the last one keeps nobody waiting for long.
            panelGrain = m >= 384 ? panelCount : max(panelCount / 16, 1)
            let columnTiles = (panelCount + panelGrain - 1) / panelGrain
            let parts = max(16 / columnTiles, 1) * Self.tileRows
            rowGrain = min(fitting, (m + parts - 1) / parts * Self.tileRows)
            blockRows = rowGrain
        }
        refine(right)
    }

    /// The fewest multiplications of a tile that is cut for the sake of many threads: some 20 µs.
    private static let leastProduct = 1 << 20

    /// Cuts panels, then rows, for more than eight threads.
    private mutating func refine(_ right: RightHandSide) {
        let most = m * right.columns * right.rows / Self.leastProduct / count
        let pieces = Parallel.pieces(count, most: most)
        guard pieces > 1 else { return }
        let panelPieces = min(pieces, panelGrain)
        panelGrain = (panelGrain + panelPieces - 1) / panelPieces
        let rowPieces = pieces / panelPieces
        guard rowPieces > 1, rowGrain > Self.tileRows else { return }
        rowGrain = max((rowGrain / rowPieces + Self.tileRows - 1) / Self.tileRows, 1) * Self.tileRows
        blockRows = min(blockRows, rowGrain)
    }

    /// Whether several tiles read the same rows of the left side.
    var readsRowsAgain: Bool { columnTiles > 1 }

    private var columnTiles: Int { (panelCount + panelGrain - 1) / panelGrain }
    var count: Int { (m + rowGrain - 1) / rowGrain * columnTiles }

    func tile(_ index: Int) -> (rows: Range<Int>, panels: Range<Int>) {
        let (row, column) = index.quotientAndRemainder(dividingBy: columnTiles)
        return (
            row * rowGrain..<min((row + 1) * rowGrain, m),
            column * panelGrain..<min((column + 1) * panelGrain, panelCount)
        )
    }
}
