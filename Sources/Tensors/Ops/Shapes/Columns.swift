import CKernels

/// x∘gain + bias by columns.
///
/// - Parameters:
///   - x: `[rows, C]`.
///   - gain: `[C]`.
///   - bias: `[C]`.
package func scaleColumns(_ x: Tensor, gain: Tensor, bias: Tensor? = nil) -> Tensor {
    let columns = x.channels
    precondition(gain.count == columns && (bias?.count ?? columns) == columns, "\(gain.count) gains for \(x.shape)")
    let value = (x.backend ?? gain.backend)?.scaleColumns(x, gain: gain, bias: bias) ?? scaledColumns(x, gain, bias)
    let parents = [x, gain] + (bias.map { [$0] } ?? [])
    let needsBias = bias?.requiresGradient ?? false
    return Tensor(value: value, parents: parents) { [x = x.detached, gain = gain.detached] gradient in
        let (dx, products) = scaleColumnsVJP(gradient, x, gain: gain)
        return [dx, products] + (bias == nil ? [] : [needsBias ? sumRows(gradient) : nil])
    }
}

private func scaledColumns(_ x: Tensor, _ gain: Tensor, _ bias: Tensor?) -> Tensor {
    let columns = x.channels
    let out = Output(x.shape)
    Parallel.ranges(x.rows, grain: 64) { range in
        let start = range.lowerBound * columns
        ck_scale_columns(x.pointer + start, gain.pointer, bias?.pointer, out.pointer + start, range.count, columns)
    }
    return out.tensor
}

/// From dL/dy of `scaleColumns`: dL/dx, and dL/dgain, which is Σ_rows dy∘x by columns.
///
/// Threads share out columns, not rows, so that every sum runs over the rows in one order.
func scaleColumnsVJP(_ gradient: Tensor, _ x: Tensor, gain: Tensor) -> (dx: Tensor, products: Tensor) {
    if let backend = gradient.backend ?? x.backend {
        return (
            backend.scaleColumns(gradient, gain: gain, bias: nil), backend.columnDots(gradient, x, shift: nil)
        )
    }
    let (rows, columns) = (x.rows, x.channels)
    let (dx, products) = (Output(x.shape), Output([columns]))
    Parallel.ranges(columns, grain: 64) { range in
        let start = range.lowerBound
        ck_scale_columns_vjp(
            gradient.pointer + start, x.pointer + start, gain.pointer + start, dx.pointer + start,
            products.pointer + start, rows, range.count, columns)
    }
    return (dx.tensor, products.tensor)
}

/// Sums over each column of a∘(b − shift), for a and b `[rows, C]`: `[C]`. Takes no gradients.
func columnDots(_ a: Tensor, _ b: Tensor, shift: Tensor?) -> Tensor {
    if let backend = a.backend ?? b.backend { return backend.columnDots(a, b, shift: shift) }
    let (rows, columns) = (a.rows, a.channels)
    let out = Output([columns])
    Parallel.ranges(columns, grain: 256) { range in
        let start = range.lowerBound
        ck_column_dots(
            a.pointer + start, b.pointer + start, shift.map { $0.pointer + start }, out.pointer + start, rows,
            range.count, columns)
    }
    return out.tensor
}
