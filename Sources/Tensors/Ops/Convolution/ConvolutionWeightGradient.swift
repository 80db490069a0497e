import CKernels

/// What a convolution's kernel is trained by: dW = columnsᵀ·gradient, where the columns are im2col's.
extension ConvolutionGeometry {
    /// OIHW, as the parameter is.
    ///
    /// Columns are made for a few hundred pixels at a time, of several images where these are small, so that they are
    /// multiplied while they are in the cache.
    func weightGradient(_ gradient: Tensor, _ x: Tensor, _ weight: PreparedConvolution) -> Tensor {
        if case .remote(let kernel) = weight.layout, let backend = kernel.backend {
            return backend.convolutionKernelGradient(gradient, x, kernel: kernel, self)
        }
        if suitsWinogradGradient { return winogradWeightGradient(gradient, x) }
        let taps = kernelHeight * kernelWidth
        let columns = taps * inputs
        let pixels = outHeight * outWidth
        let sum = Output([columns, outputs])
        if isPointwise {
            outerProduct(x.pointer, inputs, gradient.pointer, outputs, rows: images * pixels, into: sum.pointer)
        } else {
            let total = images * pixels
            let matrix = Output([min(outerProductRows, total), columns])
            for first in Swift.stride(from: 0, to: total, by: outerProductRows) {
                let range = first..<min(first + outerProductRows, total)
                fill(matrix, with: range, of: x, pixels: pixels)
                outerProduct(
                    matrix.pointer, columns, gradient.pointer + first * outputs, outputs, rows: range.count,
                    adding: first > 0, into: sum.pointer)
            }
        }
        return reordered(sum, taps: taps)
    }

    /// The columns of some output pixels, counted over all images.
    private func fill(_ matrix: Output, with range: Range<Int>, of x: Tensor, pixels: Int) {
        let columns = matrix.shape[1]
        Parallel.ranges(range.count, grain: 64) { part in
            var at = range.lowerBound + part.lowerBound
            let end = range.lowerBound + part.upperBound
            while at < end {
                let (image, pixel) = at.quotientAndRemainder(dividingBy: pixels)
                let count = min(end - at, pixels - pixel)
                im2col(
                    x, image: image, first: pixel, count: count,
                    into: matrix.pointer + (at - range.lowerBound) * columns)
                at += count
            }
        }
    }

    /// From `[tap, in, out]` to `[out, in, tap]`.
    private func reordered(_ sum: Output, taps: Int) -> Tensor {
        let out = Output([outputs, inputs, kernelHeight, kernelWidth])
        Parallel.ranges(outputs, grain: 16) { range in
            for input in 0..<inputs {
                for tap in 0..<taps {
                    let from = sum.pointer + (tap * inputs + input) * outputs
                    for output in range { out.pointer[(output * inputs + input) * taps + tap] = from[output] }
                }
            }
        }
        return out.tensor
    }
}
