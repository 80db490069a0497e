/// aᵀ·b for a `[rows, m]` and b `[rows, n]`, as weights are trained by: `[m, n]`, or added to what `out` holds.
///
/// Rows go through in blocks that stay in the second-level cache with the panels made of them; a product of a hundred
/// thousand rows in one piece would read all of b from memory for every few columns of a.
func outerProduct(
    _ a: UnsafePointer<Float>, _ m: Int, _ b: UnsafePointer<Float>, _ n: Int, rows: Int, adding: Bool = false,
    into out: UnsafeMutablePointer<Float>
) {
    for first in stride(from: 0, to: rows, by: outerProductRows) {
        gemm(
            m, n, min(outerProductRows, rows - first),
            Matrix(pointer: a + first * m, stride: m, transposed: true),
            Matrix(pointer: b + first * n, stride: n), beta: first == 0 && !adding ? 0 : 1, into: out, stride: n)
    }
}

/// Rows of one block.
let outerProductRows = 384
