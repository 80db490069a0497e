import CKernels
import COpenBLAS

/// A row-major matrix somewhere in memory.
struct Matrix {
    var pointer: UnsafePointer<Float>
    /// Distance between rows, in values.
    var stride: Int
    /// Whether the matrix that is meant is the transpose of the one in memory.
    var transposed = false

    /// The same matrix without its first rows.
    func dropping(rows: Int) -> Matrix {
        Matrix(pointer: pointer + rows * (transposed ? 1 : stride), stride: stride, transposed: transposed)
    }
}

/// The right-hand side of products, in the layout that the loops read: panels where the loops of gemm.c run, as it lies
/// in memory for OpenBLAS.
struct RightHandSide: @unchecked Sendable {
    let rows: Int
    let columns: Int
    private let matrix: Matrix
    private let panels: UnsafePointer<Float>?

    static let usesPanels = ck_gemm_supported() != 0
    static let panelWidth = 32

    /// Room, in values, that packing takes.
    static func packedCount(_ rows: Int, _ columns: Int) -> Int {
        usesPanels ? ck_gemm_packed_size(rows, columns) : 0
    }

    /// Packs [rows, columns] into `room`, which must outlive its use as the matrix must.
    init(packing matrix: Matrix, _ rows: Int, _ columns: Int, into room: UnsafeMutablePointer<Float>) {
        (self.rows, self.columns, self.matrix) = (rows, columns, matrix)
        panels = Self.usesPanels ? UnsafePointer(room) : nil
        guard Self.usesPanels else { return }
        nonisolated(unsafe) let room = room
        nonisolated(unsafe) let matrix = matrix
        let grain = max(32_768 / max(rows * Self.panelWidth, 1), 1)
        Parallel.ranges(panelCount, grain: grain) { range in
            ck_gemm_pack(
                matrix.pointer, matrix.stride, matrix.transposed ? 1 : 0, rows, columns, range.lowerBound,
                range.upperBound, room)
        }
    }

    /// A matrix that was packed there before; without panels it lies there as it was.
    init(packed pointer: UnsafePointer<Float>, _ rows: Int, _ columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        matrix = Matrix(pointer: pointer, stride: columns)
        panels = Self.usesPanels ? pointer : nil
    }

    var panelCount: Int { (columns + Self.panelWidth - 1) / Self.panelWidth }

    /// out [m, columns] = a [m, rows] · self, plus `bias` by columns or what `out` held, on the calling thread.
    ///
    /// - Parameter panels: which columns, in panels; all when nil.
    func multiply(
        _ a: Matrix, rows m: Int, panels range: Range<Int>? = nil, bias: UnsafePointer<Float>? = nil,
        accumulating: Bool = false, into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let range = range ?? 0..<panelCount
        if let panels {
            ck_gemm(
                m, rows, a.pointer, a.stride, a.transposed ? 1 : 0, panels, columns, range.lowerBound, range.upperBound,
                bias, accumulating ? 1 : 0, out, stride)
            return
        }
        let first = range.lowerBound * Self.panelWidth
        let count = min(range.upperBound * Self.panelWidth, columns) - first
        if let bias {
            for row in 0..<m { (out + row * stride + first).update(from: bias + first, count: count) }
        }
        cblas_sgemm(
            CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, matrix.transposed ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(count), blasint(rows), 1, a.pointer, blasint(a.stride),
            matrix.pointer + first * (matrix.transposed ? matrix.stride : 1), blasint(matrix.stride),
            accumulating || bias != nil ? 1 : 0, out + first, blasint(stride))
    }
}

/// out [m, n] = a [m, k] · b [k, n], plus `bias` by columns or beta (0 or 1) times what `out` held, in tiles on all cores.
///
/// Tiles cut m and n (never k, so a value is summed in one order whatever the tiling); their sizes follow from the shape.
func gemm(
    _ m: Int, _ n: Int, _ k: Int, _ a: Matrix, _ b: Matrix, bias: UnsafePointer<Float>? = nil, beta: Float = 0,
    into out: UnsafeMutablePointer<Float>, stride: Int
) {
    precondition(beta == 0 || (beta == 1 && bias == nil), "a product is added to a bias or to what was there")
    guard m > 0, n > 0 else { return }
    let accumulating = beta == 1
    withScratch(RightHandSide.packedCount(k, n)) { room in
        let right = RightHandSide(packing: b, k, n, into: room)
        guard m * n * k >= 64 * 64 * 64 else {
            right.multiply(a, rows: m, bias: bias, accumulating: accumulating, into: out, stride: stride)
            return
        }
        let tiling = GemmTiling(m, right)
        nonisolated(unsafe) let (a, bias, out) = (a, bias, out)
        Parallel.forEach(tiling.count) { index in
            let (rows, panels) = tiling.tile(index)
            right.multiply(
                a.dropping(rows: rows.lowerBound), rows: rows.count, panels: panels, bias: bias,
                accumulating: accumulating, into: out + rows.lowerBound * stride, stride: stride)
        }
    }
}

/// How a product of m rows is cut.
private struct GemmTiling {
    private let m, rowGrain, panelCount, panelGrain: Int

    init(_ m: Int, _ right: RightHandSide) {
        self.m = m
        panelCount = right.panelCount
        if RightHandSide.usesPanels {
            // Multiples of the 12 rows of a register tile.
            rowGrain = m >= 1024 ? 192 : 48
            panelGrain = m >= 1024 ? max(panelCount, 1) : max(65_536 / max(rowGrain * right.rows, 1), 1)
        } else {
            // OpenBLAS packs both operands again for each tile, so tiles are few and large.
            let parts = m >= 8192 ? 16 : m >= 512 ? 4 : m >= 128 ? 2 : 1
            rowGrain = ((m + parts - 1) / parts + 15) / 16 * 16
            panelGrain = m >= 512 ? max(panelCount, 1) : (panelCount + 3) / 4
        }
    }

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
