import CKernels

/// Brain floats in rows, two to a word: the first in the lower half.
struct PairMatrix {
    var pointer: UnsafePointer<UInt32>
    /// Distance between rows, in pairs.
    var stride: Int
}

/// The rows of a product: values, which a product of brain floats rounds for itself, or rounded ones.
enum LeftHandSide {
    case values(Matrix)
    case pairs(PairMatrix)

    /// The same without its first rows.
    func dropping(rows: Int) -> LeftHandSide {
        switch self {
        case .values(let matrix): .values(matrix.dropping(rows: rows))
        case .pairs(let matrix):
            .pairs(PairMatrix(pointer: matrix.pointer + rows * matrix.stride, stride: matrix.stride))
        }
    }
}

extension UnsafeMutablePointer<Float> {
    /// The same memory for pairs of brain floats, which take as much memory as one value.
    var pairs: UnsafeMutablePointer<UInt32> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: UInt32.self) }
}

extension UnsafePointer<Float> {
    var pairs: UnsafePointer<UInt32> { UnsafeRawPointer(self).assumingMemoryBound(to: UInt32.self) }
}

/// Rows as brain floats, `stride` pairs apart, on all cores.
func round(
    _ matrix: Matrix, rows: Int, _ columns: Int, into scratch: UnsafeMutablePointer<UInt32>, stride: Int
) {
    nonisolated(unsafe) let (matrix, scratch) = (matrix, scratch)
    Parallel.ranges(rows, grain: max(16_384 / max(columns, 1) / 16 * 16, 16)) { range in
        let from = matrix.dropping(rows: range.lowerBound)
        ck_pair_rows(
            from.pointer, from.stride, from.transposed ? 1 : 0, range.count, columns,
            scratch + range.lowerBound * stride,
            stride)
    }
}
