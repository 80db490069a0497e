import CKernels
import Tensor

/// sum ∘ gain + bias by columns, for sum [rows, columns].
func scaleColumns(_ sum: Tensor, gain: Tensor, bias: Tensor?) -> Tensor {
    let columns = sum.shape[1]
    return Tensor(shape: sum.shape) { value in
        let (sum, gain, bias, value) = (Values(sum), Values(gain), bias.map(Values.init), Target(value))
        forEachBlock(of: value.count / columns) { range in
            let start = range.lowerBound * columns
            ck_scale_columns(
                sum.pointer + start, gain.pointer, bias?.pointer, value.pointer + start, range.count, columns)
        }
    }
}

/// From dL/dy: dL/dsum and, by columns, Σ_rows dy ∘ sum.
///
/// Threads share out columns, not rows, so that every sum runs over the rows in one order.
func scaleColumnsBackward(_ gradient: Tensor, sum: Tensor, gain: Tensor) -> (dSum: Tensor, products: Tensor) {
    let (rows, columns) = (sum.shape[0], sum.shape[1])
    var products = gain
    let dSum = Tensor(shape: sum.shape) { dSum in
        products = Tensor(shape: [columns]) { products in
            let (gradient, sum, gain) = (Values(gradient), Values(sum), Values(gain))
            let (dSum, products) = (Target(dSum), Target(products))
            forEachBlock(of: columns) { range in
                let start = range.lowerBound
                ck_scale_columns_vjp(
                    gradient.pointer + start, sum.pointer + start, gain.pointer + start, dSum.pointer + start,
                    products.pointer + start, rows, range.count, columns)
            }
        }
    }
    return (dSum, products)
}
