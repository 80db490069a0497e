import CKernels

/// Convolutions whose products are of brain floats.
extension ConvolutionGeometry {
    func output(_ x: Tensor, _ weight: PreparedConvolution, _ kernel: PairKernel, bias: Tensor?) -> Tensor {
        if Winograd.suits(x, weight, stride: stride, padding: padding, side: 2) {
            return PairWinograd.convolve(x, kernel, .forward, bias: bias)
        }
        return kernel.withRightHandSide { right in
            isPointwise ? pointwise(x, right, bias: bias) : direct(x, right, bias: bias)
        }
    }

    func inputGradient(_ gradient: Tensor, _ weight: PreparedConvolution, _ kernel: PairKernel) -> Tensor {
        if Winograd.suits(gradient, weight, stride: stride, padding: padding, side: 2) {
            return PairWinograd.convolve(gradient, kernel, .backward)
        }
        return kernel.withTransposed { directInputGradient(gradient, $0) }
    }

    private func pointwise(_ x: Tensor, _ right: RightHandSide, bias: Tensor?) -> Tensor {
        let out = Output([images, height, width, outputs])
        gemm(
            x.rows, Matrix(pointer: x.pointer, stride: inputs), right, bias: bias?.pointer, into: out.pointer,
            stride: outputs)
        return out.tensor
    }

    /// The image is rounded once; then im2col and products in tiles of output pixels. Two input channels are a pair, so
    /// im2col moves them like one value.
    private func direct(_ x: Tensor, _ right: RightHandSide, bias: Tensor?) -> Tensor {
        let out = Output([images, outHeight, outWidth, outputs])
        let rounded = Output([x.rows, inputs / 2])
        round(
            Matrix(pointer: x.pointer, stride: inputs), rows: x.rows, inputs, into: rounded.pointer.pairs,
            stride: inputs / 2)
        let (pairs, pixels) = (columns / 2, pixels)
        let tile = min(max(PathSizes.smallColumns / pairs, 48), pixels)
        let tilesAnImage = (pixels + tile - 1) / tile
        let image = height * width * inputs / 2
        Parallel.forEach(images * tilesAnImage) { index in
            let first = index % tilesAnImage * tile
            let count = min(tile, pixels - first)
            withScratch(count * pairs) { rows in
                ck_im2col(
                    rounded.pointer + index / tilesAnImage * image, rows, first, count, Int32(height), Int32(width),
                    Int32(inputs / 2), Int32(outWidth), Int32(kernelHeight), Int32(kernelWidth), Int32(stride),
                    Int32(padding.top), Int32(padding.left))
                right.multiply(
                    .pairs(PairMatrix(pointer: rows.pairs, stride: pairs)), rows: count, bias: bias?.pointer,
                    into: out.pointer + (index / tilesAnImage * pixels + first) * outputs, stride: outputs)
            }
        }
        return out.tensor
    }
}
