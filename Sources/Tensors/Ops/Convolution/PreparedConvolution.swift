import CKernels

/// The kernel of a 2-D convolution in the layout that products read, made once from PyTorch's: panels (panels.c) of
/// `[in·kh·kw, out]`, and for small 3×3 kernels their Winograd transform at the first use; or brain floats (PairKernel).
///
/// How it is laid out is private to this module.
package struct PreparedConvolution: Sendable {
    package let outputChannels, inputChannels, kernelHeight, kernelWidth: Int
    /// Where gradients go; nil for a frozen kernel.
    let parameter: Tensor?
    let layout: Layout
    private let transforms = TransformedKernels()

    enum Layout: Sendable {
        case values(StoredValues)
        case pairs(PairKernel)
        /// As another back end multiplies with it.
        case remote(Tensor)
    }

    /// - Parameters:
    ///   - oihw: `[out, in, kh, kw]`.
    ///   - stored: what to keep it in where that loses nothing.
    ///   - precision: what products with it are computed in. A parameter, and a kernel of an odd number of input
    ///     channels, stay float32.
    package init(
        _ oihw: Tensor, keptAs stored: WeightPrecision = .float32, precision: Precision = .float32
    ) {
        precondition(oihw.shape.count == 4, "a convolution kernel has four dimensions, not \(oihw.shape)")
        (outputChannels, inputChannels) = (oihw.shape[0], oihw.shape[1])
        (kernelHeight, kernelWidth) = (oihw.shape[2], oihw.shape[3])
        parameter = oihw.requiresGradient ? oihw : nil
        if let backend = oihw.backend {
            layout = .remote(backend.kernel(oihw.detached))
            return
        }
        precision.requireCPU()
        guard precision == .float32 || parameter != nil || !inputChannels.isMultiple(of: 2) else {
            layout = .pairs(PairKernel(oihw))
            return
        }
        let rows = inputChannels * kernelHeight * kernelWidth
        let buffer = Output([ck_gemm_packed_size(rows, outputChannels)])
        pack(
            Matrix(pointer: oihw.pointer, stride: rows, transposed: true), rows, outputChannels, into: buffer.pointer)
        layout = .values(StoredValues(buffer.tensor, keptAs: stored))
    }

    /// What products with it are computed in.
    package var precision: Precision {
        switch layout {
        case .pairs: .bfloat16
        case .values: .float32
        case .remote(let kernel): Precision(kernel.dtype)
        }
    }

    /// A kernel of float32 for one use, during which it must be kept alive.
    func opened(_ stored: StoredValues) -> OpenedKernel {
        OpenedKernel(self, stored.wide, keepsTransforms: !stored.isNarrow)
    }

    fileprivate func transform(_ direction: Winograd.Direction, make: () -> Tensor) -> Tensor {
        transforms.get(direction, make: make)
    }
}

/// A convolution kernel as float32, in the layouts that products read.
struct OpenedKernel: Sendable {
    private let weight: PreparedConvolution
    /// Rows by input channel, then tap.
    let panels: Tensor
    private let keepsTransforms: Bool

    fileprivate init(_ weight: PreparedConvolution, _ panels: Tensor, keepsTransforms: Bool) {
        (self.weight, self.panels, self.keepsTransforms) = (weight, panels, keepsTransforms)
    }

    var outputChannels: Int { weight.outputChannels }
    var inputChannels: Int { weight.inputChannels }

    private var taps: Int { weight.kernelHeight * weight.kernelWidth }
    /// Rows of the matrix that im2col's rows are multiplied by.
    var depth: Int { taps * inputChannels }

    /// The size of the scratch buffer, in values, that ``rightHandSide(in:)`` takes.
    var scratchCount: Int { taps == 1 ? 0 : panels.count }

    /// The kernel as the right-hand side of im2col's rows, which go by tap, then input channel.
    func rightHandSide(in scratch: UnsafeMutablePointer<Float>) -> RightHandSide {
        guard taps > 1 else { return RightHandSide(packed: panels.pointer, depth, outputChannels) }
        nonisolated(unsafe) let scratch = scratch
        Parallel.ranges((outputChannels + 31) / 32, grain: 1) { range in
            ck_gemm_reorder(
                panels.pointer, inputChannels, taps, outputChannels, range.lowerBound, range.upperBound, scratch)
        }
        return RightHandSide(packed: scratch, depth, outputChannels)
    }

    /// Its transpose: from gradients of outputs to those of im2col's rows. The scratch buffer `scratch` holds both
    /// layouts.
    func transposed(in scratch: UnsafeMutablePointer<Float>) -> RightHandSide {
        if taps > 1 { _ = rightHandSide(in: scratch) }
        nonisolated(unsafe) let source = taps > 1 ? UnsafePointer(scratch) : panels.pointer
        nonisolated(unsafe) let target = scratch + scratchCount
        Parallel.ranges((depth + 31) / 32, grain: max(1024 / outputChannels, 1)) { range in
            ck_gemm_transpose(source, depth, outputChannels, range.lowerBound, range.upperBound, target)
        }
        return RightHandSide(packed: target, outputChannels, depth)
    }

    /// The size of the scratch buffer, in values, that ``transposed(in:)`` takes.
    var transposedScratchCount: Int { scratchCount + ck_gemm_packed_size(outputChannels, depth) }

    /// Winograd's 36 planes, each packed as a right-hand side; nil for a kernel too large to keep them, or kept in
    /// 16 bits.
    func keptTransform(_ direction: Winograd.Direction) -> Tensor? {
        guard keepsTransforms, inputChannels * outputChannels <= PathSizes.keptWinogradKernel else { return nil }
        return weight.transform(direction) {
            let source = Winograd.Kernel(self, direction)
            let planes = Output([36, source.rows, source.columns])
            Parallel.forEach(source.panelCount) { panel in
                source.transform(
                    panel, rows: 0..<source.rows, into: planes.pointer + panel * 32 * source.rows,
                    plane: source.rows * source.columns)
            }
            return planes.tensor
        }
    }
}
