import CKernels

/// What a convolution's kernel is trained by: dW = columnsᵀ·gradient, where the columns are im2col's.
extension ConvolutionGeometry {
    /// OIHW, as the parameter is.
    ///
    /// Images go through in groups: the longer the product's inner dimension, the less often the sum is read and written.
    func weightGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
        let taps = kernelHeight * kernelWidth
        let columns = taps * inputs
        let pixels = outHeight * outWidth
        let sum = Output([columns, outputs])
        if isPointwise {
            add(x.pointer, gradient.pointer, rows: images * pixels, isFirst: true, to: sum)
        } else {
            let group = min(max(PathSizes.largeColumns / max(pixels * columns, 1), 1), images)
            for first in Swift.stride(from: 0, to: images, by: group) {
                let count = min(group, images - first)
                let matrix = Output([count * pixels, columns])
                Parallel.forEach(count) { index in
                    im2col(
                        x, image: first + index, first: 0, count: pixels,
                        into: matrix.pointer + index * pixels * columns)
                }
                add(
                    matrix.pointer, gradient.pointer + first * pixels * outputs, rows: count * pixels,
                    isFirst: first == 0, to: sum)
            }
        }
        return reordered(sum, taps: taps)
    }

    private func add(
        _ columns: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, rows: Int, isFirst: Bool, to sum: Output
    ) {
        let width = sum.shape[0]
        gemm(
            width, outputs, rows, Matrix(pointer: columns, stride: width, transposed: true),
            Matrix(pointer: gradient, stride: outputs), beta: isFirst ? 0 : 1, into: sum.pointer, stride: outputs)
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
