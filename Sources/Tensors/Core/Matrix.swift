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
