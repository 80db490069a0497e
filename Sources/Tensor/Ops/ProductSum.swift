/// One factor pair of ``productSum(_:_:bias:)``: a [m, k] times b, which is [k, n] or, transposed, [n, k].
package struct Product {
    let a: Tensor
    let b: Tensor
    let transposeB: Bool

    package init(_ a: Tensor, _ b: Tensor, transposeB: Bool = false) {
        self.a = a
        self.b = b
        self.transposeB = transposeB
    }

    var rows: Int { a.shape[0] }
    var columns: Int { transposeB ? b.shape[0] : b.shape[1] }
    var inner: Int { a.shape[1] }
}

/// first + second + bias, where the second product is added in place: a low-rank correction costs no pass over memory
/// of its own. Takes no gradients; ops that are built on it bring their own.
///
/// - Returns: `[m, n]`.
package func productSum(_ first: Product, _ second: Product, bias: Tensor? = nil) -> Tensor {
    let (rows, columns) = (first.rows, first.columns)
    precondition(second.rows == rows && second.columns == columns, "a sum of products of one shape")
    let out = Output([rows, columns])
    if let bias { fillRows(out.pointer, rows: rows, with: bias) }
    for (product, beta) in [(first, Float(bias == nil ? 0 : 1)), (second, 1)] {
        gemm(
            rows, columns, product.inner, Matrix(pointer: product.a.pointer, stride: product.inner),
            Matrix(pointer: product.b.pointer, stride: product.b.shape[1], transposed: product.transposeB),
            beta: beta, into: out.pointer, stride: columns)
    }
    return out.tensor
}
