import CKernels

/// A 2-D convolution (cross-correlation, as PyTorch has it) of channels-last images.
///
/// - Parameters:
///   - x: `[N, H, W, in]`.
///   - weight: `[out, in, kh, kw]`, prepared.
///   - bias: `[out]`.
///   - stride: in pixels, along both axes.
///   - padding: zeros around the image, in pixels.
/// - Returns: `[N, H′, W′, out]` with H′ = (H + top + bottom − kh) / stride + 1.
package func conv2d(
    _ x: Tensor, _ weight: PreparedConvolution, bias: Tensor? = nil, stride: Int = 1, padding: Padding
) -> Tensor {
    precondition(
        x.shape.count == 4 && x.shape[3] == weight.inputChannels,
        "a convolution of \(weight.inputChannels) channels got a tensor of shape \(x.shape)")
    let geometry = ConvolutionGeometry(x.shape, weight, stride: stride, padding: padding)
    let value = geometry.output(x, weight, bias: bias)
    let savedInput = weight.parameter == nil ? nil : x.detached
    let parents = [x] + (weight.parameter.map { [$0] } ?? []) + (bias.map { [$0] } ?? [])
    let needsInput = x.requiresGradient
    let needsBias = bias?.requiresGradient ?? false
    return Tensor(value: value, parents: parents) { gradient in
        var results: [Tensor?] = [needsInput ? geometry.inputGradient(gradient, weight) : nil]
        if let savedInput { results.append(geometry.weightGradient(gradient, savedInput, weight)) }
        if bias != nil { results.append(needsBias ? sumRows(gradient) : nil) }
        return results
    }
}

/// Sizes of one convolution and the loops that follow from them.
struct ConvolutionGeometry: Sendable {
    let images, height, width, inputs, outputs: Int
    let kernelHeight, kernelWidth, stride: Int
    let padding: Padding
    let outHeight, outWidth: Int

    init(_ shape: [Int], _ weight: PreparedConvolution, stride: Int, padding: Padding) {
        (images, height, width, inputs) = (shape[0], shape[1], shape[2], shape[3])
        outputs = weight.outputChannels
        (kernelHeight, kernelWidth) = (weight.kernelHeight, weight.kernelWidth)
        (self.stride, self.padding) = (stride, padding)
        outHeight = (height + padding.top + padding.bottom - kernelHeight) / stride + 1
        outWidth = (width + padding.left + padding.right - kernelWidth) / stride + 1
    }

    var isPointwise: Bool { kernelHeight == 1 && kernelWidth == 1 && stride == 1 && padding == .none }
    var columns: Int { kernelHeight * kernelWidth * inputs }
    var pixels: Int { outHeight * outWidth }
    var inputShape: [Int] { [images, height, width, inputs] }
    var outputShape: [Int] { [images, outHeight, outWidth, outputs] }

    func output(_ x: Tensor, _ weight: PreparedConvolution, bias: Tensor?) -> Tensor {
        switch weight.layout {
        case .remote(let kernel):
            kernel.backend?.convolution(x, kernel: kernel, bias: bias, self) ?? Tensor(filled: .nan, shape: outputShape)
        case .pairs(let kernel): output(x, weight, kernel, bias: bias)
        case .values(let stored):
            withExtendedLifetime(weight.opened(stored)) { kernel in
                if isPointwise { return pointwise(x, kernel, bias: bias) }
                guard Winograd.suits(x, weight, stride: stride, padding: padding) else {
                    return direct(x, kernel, bias: bias)
                }
                return Winograd.convolve(x, kernel, .forward, bias: bias)
            }
        }
    }

    /// A 1×1 kernel is a matrix product over pixels.
    private func pointwise(_ x: Tensor, _ weight: OpenedKernel, bias: Tensor?) -> Tensor {
        let out = Output([images, height, width, outputs])
        gemm(
            x.rows, Matrix(pointer: x.pointer, stride: inputs),
            RightHandSide(packed: weight.panels.pointer, inputs, outputs), bias: bias?.pointer, into: out.pointer,
            stride: outputs)
        return out.tensor
    }

    /// im2col and a product: in tiles of output pixels that stay in the second-level cache where the kernel does too,
    /// in large parts of the image where the kernel is read from memory.
    private func direct(_ x: Tensor, _ weight: OpenedKernel, bias: Tensor?) -> Tensor {
        let out = Output([images, outHeight, outWidth, outputs])
        withScratch(weight.scratchCount) { scratch in
            let kernel = weight.rightHandSide(in: scratch)
            let isLarge = columns * outputs > PathSizes.largeKernel
            let tile = min(max((isLarge ? PathSizes.largeColumns : PathSizes.smallColumns) / columns, 16), pixels)
            let tilesAnImage = (pixels + tile - 1) / tile
            func convolve(_ index: Int, multiply: (Matrix, Int, UnsafeMutablePointer<Float>) -> Void) {
                let image = index / tilesAnImage
                let first = index % tilesAnImage * tile
                let count = min(tile, pixels - first)
                withScratch(count * columns) { scratch in
                    nonisolated(unsafe) let scratch = scratch
                    Parallel.ranges(count, grain: 64) { range in
                        im2col(
                            x, image: image, first: first + range.lowerBound, count: range.count,
                            into: scratch + range.lowerBound * columns)
                    }
                    multiply(
                        Matrix(pointer: scratch, stride: columns), count,
                        out.pointer + (image * pixels + first) * outputs)
                }
            }
            if isLarge {
                for index in 0..<images * tilesAnImage {
                    convolve(index) { gemm($1, $0, kernel, bias: bias?.pointer, into: $2, stride: outputs) }
                }
            } else {
                Parallel.forEach(images * tilesAnImage) { index in
                    convolve(index) { kernel.multiply($0, rows: $1, bias: bias?.pointer, into: $2, stride: outputs) }
                }
            }
        }
        return out.tensor
    }

    func im2col(_ x: Tensor, image: Int, first: Int, count: Int, into out: UnsafeMutablePointer<Float>) {
        ck_im2col(
            x.pointer + image * height * width * inputs, out, first, count, Int32(height), Int32(width),
            Int32(inputs), Int32(outWidth), Int32(kernelHeight), Int32(kernelWidth), Int32(stride),
            Int32(padding.top), Int32(padding.left))
    }

    func inputGradient(_ gradient: Tensor, _ weight: PreparedConvolution) -> Tensor {
        switch weight.layout {
        case .remote(let kernel):
            return kernel.backend?.convolutionInputGradient(gradient, kernel: kernel, self)
                ?? Tensor(filled: .nan, shape: inputShape)
        case .pairs(let kernel): return inputGradient(gradient, weight, kernel)
        case .values(let stored):
            return withExtendedLifetime(weight.opened(stored)) { kernel in
                guard Winograd.suits(gradient, weight, stride: stride, padding: padding) else {
                    return withScratch(kernel.transposedScratchCount) { scratch in
                        directInputGradient(gradient, kernel.transposed(in: scratch))
                    }
                }
                return Winograd.convolve(gradient, kernel, .backward)
            }
        }
    }

    /// - Parameter transposed: the kernel's transpose, from outputs to im2col's rows.
    func directInputGradient(_ gradient: Tensor, _ transposed: RightHandSide) -> Tensor {
        let out = Output([images, height, width, inputs])
        if isPointwise {
            gemm(
                gradient.rows, Matrix(pointer: gradient.pointer, stride: outputs), transposed, into: out.pointer,
                stride: inputs)
            return out.tensor
        }
        // Windows overlap in the gradient, so each image is added up by one thread.
        out.pointer.update(repeating: 0, count: out.storage.count)
        for image in 0..<images {
            let products = Output([pixels, columns])
            gemm(
                pixels, Matrix(pointer: gradient.pointer + image * pixels * outputs, stride: outputs), transposed,
                into: products.pointer, stride: columns)
            ck_col2im(
                products.pointer, out.pointer + image * height * width * inputs, 0, pixels, Int32(height),
                Int32(width), Int32(inputs), Int32(outWidth), Int32(kernelHeight), Int32(kernelWidth),
                Int32(stride), Int32(padding.top), Int32(padding.left))
        }
        return out.tensor
    }
}
