/// The product of two matrices, each transposed first where asked.
///
/// - Parameters:
///   - a: `[m, k]`, or `[k, m]` with `transposeA`.
///   - b: `[k, n]`, or `[n, k]` with `transposeB`.
///   - transposeA: whether aᵀ is multiplied instead of a.
///   - transposeB: whether bᵀ is multiplied instead of b.
/// - Returns: `[m, n]`.
package func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
    precondition(a.shape.count == 2 && b.shape.count == 2, "matmul takes matrices, not \(a.shape) and \(b.shape)")
    let (m, k) = transposeA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let (inner, n) = transposeB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
    precondition(k == inner, "matmul of \(a.shape) and \(b.shape): inner dimensions differ")
    let value: Tensor
    if let backend = a.backend ?? b.backend {
        value = backend.matmul(a, b, transposeA: transposeA, transposeB: transposeB)
    } else {
        let out = Output([m, n])
        gemm(
            m, n, k, Matrix(pointer: a.pointer, stride: a.shape[1], transposed: transposeA),
            Matrix(pointer: b.pointer, stride: b.shape[1], transposed: transposeB), into: out.pointer, stride: n)
        value = out.tensor
    }
    let (savedA, savedB) = (b.requiresGradient ? a.detached : nil, a.requiresGradient ? b.detached : nil)
    return Tensor(value: value, parents: [a, b]) { gradient in
        let forA = savedB.map { b in
            transposeA
                ? matmul(b, gradient, transposeA: transposeB, transposeB: true)
                : matmul(gradient, b, transposeB: !transposeB)
        }
        let forB = savedA.map { a in
            transposeB
                ? matmul(gradient, a, transposeA: true, transposeB: transposeA)
                : matmul(a, gradient, transposeA: !transposeA)
        }
        return [forA, forB]
    }
}
