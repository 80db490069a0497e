import COpenBLAS

/// A row-major matrix somewhere in memory, for sgemm.
struct Matrix {
    var pointer: UnsafePointer<Float>
    /// Distance between rows, in values.
    var stride: Int
    var transposed = false
}

/// out [m,n] = alpha·a [m,k]·b [k,n] + beta·out, on the calling thread.
func gemmTile(
    _ m: Int, _ n: Int, _ k: Int, _ a: Matrix, _ b: Matrix, alpha: Float = 1, beta: Float = 0,
    into out: UnsafeMutablePointer<Float>, stride: Int
) {
    cblas_sgemm(
        CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
        blasint(m), blasint(n), blasint(k), alpha, a.pointer, blasint(a.stride), b.pointer, blasint(b.stride),
        beta, out, blasint(stride))
}

/// The same product in tiles on all cores.
///
/// Tiles cut the longer of m and n (never k, so a value is summed in one order whatever the tiling), into an even number
/// of parts large enough that packing the other operand again for each costs little.
func gemm(
    _ m: Int, _ n: Int, _ k: Int, _ a: Matrix, _ b: Matrix, alpha: Float = 1, beta: Float = 0,
    into out: UnsafeMutablePointer<Float>, stride: Int
) {
    guard m > 0, n > 0 else { return }
    if m * n * k < 48 * 48 * 48 {
        gemmTile(m, n, k, a, b, alpha: alpha, beta: beta, into: out, stride: stride)
        return
    }
    let cutsRows = m >= n
    let length = cutsRows ? m : n
    let grain = tileLength(length)
    nonisolated(unsafe) let out = out
    Parallel.ranges(length, grain: grain) { range in
        if cutsRows {
            let part = Matrix(
                pointer: a.pointer + range.lowerBound * (a.transposed ? 1 : a.stride), stride: a.stride,
                transposed: a.transposed)
            gemmTile(
                range.count, n, k, part, b, alpha: alpha, beta: beta, into: out + range.lowerBound * stride,
                stride: stride)
        } else {
            let part = Matrix(
                pointer: b.pointer + range.lowerBound * (b.transposed ? b.stride : 1), stride: b.stride,
                transposed: b.transposed)
            gemmTile(
                m, range.count, k, a, part, alpha: alpha, beta: beta, into: out + range.lowerBound, stride: stride)
        }
    }
}

/// About sixteen tiles for long matrices, fewer for short ones; multiples of 16 fit the micro-kernels.
private func tileLength(_ length: Int) -> Int {
    let parts = length >= 8192 ? 16 : length >= 512 ? 4 : 2
    return ((length + parts - 1) / parts + 15) / 16 * 16
}
