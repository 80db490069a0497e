import CKernels

/// Softmax over the last dimension.
package func softmax(_ x: Tensor) -> Tensor {
    if let backend = x.backend {
        let value = backend.softmax(x)
        return Tensor(value: value, parents: [x]) { [backend.softmaxVJP(value, $0)] }
    }
    let width = x.channels
    let out = Output(x.shape)
    Parallel.rows(x.rows, width: width) { range in
        let start = range.lowerBound * width
        ck_softmax(x.pointer + start, 1, out.pointer + start, nil, range.count, width, width, 0, 0)
    }
    let value = out.tensor
    return Tensor(value: value, parents: [x]) { gradient in
        let out = Output(value.shape)
        Parallel.rows(value.rows, width: width) { range in
            let start = range.lowerBound * width
            withScratch(range.count) { dots in
                ck_row_products(
                    value.pointer + start, gradient.pointer + start, dots, range.count, width, width)
                ck_softmax_vjp(
                    value.pointer + start, gradient.pointer + start, dots, 1, out.pointer + start, range.count, width,
                    width)
            }
        }
        return [out.tensor]
    }
}
