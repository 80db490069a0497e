import CKernels
import COpenBLAS

/// The right-hand side of products, in the layout that the loops read: panels (panels.c) for those of gemm.c, or as it
/// is in memory where few rows meet it; always so for OpenBLAS, which packs for itself. What was packed to be kept is
/// in panels for both.
struct RightHandSide: @unchecked Sendable {
    let rows: Int
    let columns: Int
    private let layout: Layout

    private enum Layout {
        case panels(UnsafePointer<Float>)
        case matrix(Matrix)
        /// Panels of brain floats (pair_panels.c), for processors of every kind.
        case pairs(UnsafePointer<UInt32>)
    }

    /// Whether the loops of gemm.c run here, which take AVX-512; OpenBLAS stands in for them elsewhere, and where
    /// `ATTUNE_VECTOR_LEVEL=x86-64-v3` asks for it.
    static let usesPanels = ck_gemm_supported() != 0
    static let panelWidth = 32

    /// The size of the scratch buffer, in values, that ``init(packing:_:_:into:)`` takes.
    static func packedCount(_ rows: Int, _ columns: Int, _ precision: Precision = .float32) -> Int {
        switch precision {
        case .float32, .tf32: usesPanels ? ck_gemm_packed_size(rows, columns) : 0
        case .bfloat16, .float16: ck_pair_panels_size(rows, columns)
        }
    }

    /// Whether products of a precision read packed memory.
    static func packs(_ precision: Precision) -> Bool { usesPanels || precision == .bfloat16 }

    /// Packs [rows, columns] into the scratch buffer `scratch`, which must outlive its use as the matrix must, unless it
    /// can as well be read where it is.
    ///
    /// - Parameters:
    ///   - m: how many rows of left-hand sides meet it.
    ///   - precision: what it is rounded to.
    init(
        packing matrix: Matrix, _ rows: Int, _ columns: Int, for m: Int = .max, precision: Precision = .float32,
        into scratch: UnsafeMutablePointer<Float>
    ) {
        (self.rows, self.columns) = (rows, columns)
        guard precision == .float32 else {
            layout = .pairs(UnsafePointer(scratch.pairs))
            packPairs(matrix, rows, columns, into: scratch.pairs)
            return
        }
        let packs = Self.usesPanels && !Self.isReady(matrix, rows, columns, for: m)
        layout = packs ? .panels(UnsafePointer(scratch)) : .matrix(matrix)
        if packs { pack(matrix, rows, columns, into: scratch) }
    }

    /// Whether packing saves nothing: a small matrix in whole vectors that few rows meet, or a single panel as it is.
    /// The products are the same, bit for bit.
    private static func isReady(_ matrix: Matrix, _ rows: Int, _ columns: Int, for m: Int) -> Bool {
        guard !matrix.transposed, columns.isMultiple(of: 16) else { return false }
        if columns == panelWidth && matrix.stride == panelWidth { return true }
        return m <= fewRows && rows * columns <= cachedValues
    }

    /// Four register tiles: packing reads and writes every value once more.
    private static let fewRows = 96
    /// What stays in the second-level cache from one tile to the next.
    private static let cachedValues = 1 << 18

    /// Panels that were made before.
    init(packed panels: UnsafePointer<Float>, _ rows: Int, _ columns: Int) {
        (self.rows, self.columns, layout) = (rows, columns, .panels(panels))
    }

    /// Panels of brain floats that were made before.
    init(pairs panels: UnsafePointer<UInt32>, _ rows: Int, _ columns: Int) {
        (self.rows, self.columns, layout) = (rows, columns, .pairs(panels))
    }

    /// What it is rounded to.
    var precision: Precision {
        if case .pairs = layout { .bfloat16 } else { .float32 }
    }

    /// A matrix as it is in memory, for OpenBLAS.
    init(unpacked matrix: Matrix, _ rows: Int, _ columns: Int) {
        precondition(!Self.usesPanels, "the loops of gemm.c read panels only")
        (self.rows, self.columns, layout) = (rows, columns, .matrix(matrix))
    }

    var panelCount: Int { (columns + Self.panelWidth - 1) / Self.panelWidth }

    /// out [m, columns] = a [m, rows] · self, plus `bias` by columns or what `out` held, on the calling thread.
    ///
    /// - Parameter panels: which columns, in panels; all when nil.
    func multiply(
        _ a: Matrix, rows m: Int, panels range: Range<Int>? = nil, bias: UnsafePointer<Float>? = nil,
        accumulating: Bool = false, into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        multiply(
            .values(a), rows: m, panels: range, bias: bias, accumulating: accumulating, into: out, stride: stride)
    }

    /// The same for rows that may have been rounded before, which a right-hand side of brain floats takes.
    func multiply(
        _ left: LeftHandSide, rows m: Int, panels range: Range<Int>? = nil, bias: UnsafePointer<Float>? = nil,
        accumulating: Bool = false, into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let range = range ?? 0..<panelCount
        let adds: Int32 = accumulating ? 1 : 0
        switch (layout, left) {
        case (.pairs(let panels), .values(let a)):
            ck_pair_gemm(
                m, rows, a.pointer, a.stride, a.transposed ? CK_LEFT_TRANSPOSED : CK_LEFT_FLOATS, panels, columns,
                range.lowerBound, range.upperBound, bias, adds, out, stride)
        case (.pairs(let panels), .pairs(let a)):
            ck_pair_gemm(
                m, rows, a.pointer, a.stride, CK_LEFT_PAIRS, panels, columns, range.lowerBound, range.upperBound, bias,
                adds, out, stride)
        case (.panels(let panels), .values(let a)) where Self.usesPanels:
            ck_gemm(
                m, rows, a.pointer, a.stride, a.transposed ? 1 : 0, panels, 0, columns, range.lowerBound,
                range.upperBound, bias, adds, out, stride)
        case (.matrix(let matrix), .values(let a)) where Self.usesPanels:
            ck_gemm(
                m, rows, a.pointer, a.stride, a.transposed ? 1 : 0, matrix.pointer, matrix.stride, columns,
                range.lowerBound, range.upperBound, bias, adds, out, stride)
        case (_, .values(let a)):
            multiplyByBLAS(
                a, rows: m, panels: range, bias: bias, accumulating: accumulating, into: out, stride: stride)
        case (_, .pairs): preconditionFailure("rounded rows meet a right-hand side that is not rounded")
        }
    }

    private func multiplyByBLAS(
        _ a: Matrix, rows m: Int, panels range: Range<Int>, bias: UnsafePointer<Float>?, accumulating: Bool,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let first = range.lowerBound * Self.panelWidth
        let count = min(range.upperBound * Self.panelWidth, columns) - first
        if let bias {
            for row in 0..<m { (out + row * stride + first).update(from: bias + first, count: count) }
        }
        let beta: Float = accumulating || bias != nil ? 1 : 0
        switch layout {
        case .matrix(let matrix):
            let from = matrix.pointer + first * (matrix.transposed ? matrix.stride : 1)
            sgemm(
                m, count, rows, a, Matrix(pointer: from, stride: matrix.stride, transposed: matrix.transposed), beta,
                out + first, stride)
        case .panels(let panels):
            for start in Swift.stride(from: first, to: first + count, by: Self.panelWidth) {
                let width = columns - start > 16 ? Self.panelWidth : 16
                sgemm(
                    m, min(Self.panelWidth, columns - start), rows, a,
                    Matrix(pointer: panels + start * rows, stride: width), beta, out + start, stride)
            }
        case .pairs: preconditionFailure("OpenBLAS has no products of brain floats here")
        }
    }
}

/// Packs b [rows, columns] into panels, on all cores.
func pack(_ matrix: Matrix, _ rows: Int, _ columns: Int, into packed: UnsafeMutablePointer<Float>) {
    nonisolated(unsafe) let (packed, matrix) = (packed, matrix)
    forEachPanels(rows, columns) { panels in
        ck_gemm_pack(
            matrix.pointer, matrix.stride, matrix.transposed ? 1 : 0, rows, columns, panels.lowerBound,
            panels.upperBound, packed)
    }
}

/// Rounds b [rows, columns] and packs it into panels of pairs, on all cores.
func packPairs(_ matrix: Matrix, _ rows: Int, _ columns: Int, into packed: UnsafeMutablePointer<UInt32>) {
    nonisolated(unsafe) let (packed, matrix) = (packed, matrix)
    forEachPanels(rows, columns) { panels in
        ck_pair_pack(
            matrix.pointer, matrix.stride, matrix.transposed ? 1 : 0, rows, columns, panels.lowerBound,
            panels.upperBound, packed)
    }
}

/// Ranges of the panels of b [rows, columns], shared out to all cores.
private func forEachPanels(_ rows: Int, _ columns: Int, _ body: (Range<Int>) -> Void) {
    let panels = (columns + RightHandSide.panelWidth - 1) / RightHandSide.panelWidth
    Parallel.ranges(panels, grain: max(32_768 / max(rows * RightHandSide.panelWidth, 1), 1), body)
}

private func sgemm(
    _ m: Int, _ n: Int, _ k: Int, _ a: Matrix, _ b: Matrix, _ beta: Float, _ out: UnsafeMutablePointer<Float>,
    _ stride: Int
) {
    cblas_sgemm(
        CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, blasint(m),
        blasint(n), blasint(k), 1, a.pointer, blasint(a.stride), b.pointer, blasint(b.stride), beta, out,
        blasint(stride))
}
