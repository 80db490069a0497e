import CKernels

/// The weight of a linear layer in the layout that products read, made once, so that a use of it costs no copy.
///
/// How it is laid out, in how many bits and for which kernels, is private to this module.
package struct PreparedLinear: Sendable {
    package let outputs, inputs: Int
    /// Where gradients go; nil for a frozen weight.
    let parameter: Tensor?
    let layout: Layout

    enum Layout: Sendable {
        /// Packed Wᵀ (panels.c), or W itself for OpenBLAS; and packed W for the backward pass where it is kept.
        case values(StoredValues, transposed: Tensor?)
        /// Packed Wᵀ as brain floats (pair_panels.c).
        case pairs(Tensor)
        /// W where another back end multiplies.
        case remote(Tensor)
    }

    /// - Parameters:
    ///   - weight: `[out, in]`, as PyTorch stores it.
    ///   - stored: what to keep it in where that loses nothing.
    ///   - precision: what products with it are computed in. A parameter stays float32.
    package init(
        _ weight: Tensor, keptAs stored: WeightPrecision = .float32, precision: Precision = .float32
    ) {
        precondition(weight.shape.count == 2, "the weight of a linear layer is a matrix, not \(weight.shape)")
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        (self.outputs, self.inputs) = (outputs, inputs)
        parameter = weight.requiresGradient ? weight : nil
        guard weight.backend == nil else {
            layout = .remote(weight.detached)
            return
        }
        precision.requireCPU()
        let transpose = Matrix(pointer: weight.pointer, stride: inputs, transposed: true)
        guard precision == .float32 || parameter != nil else {
            let buffer = Output([ck_pair_panels_size(inputs, outputs)])
            packPairs(transpose, inputs, outputs, into: buffer.pointer.pairs)
            layout = .pairs(buffer.tensor)
            return
        }
        guard RightHandSide.usesPanels else {
            layout = .values(StoredValues(weight.detached, keptAs: stored), transposed: nil)
            return
        }
        let buffer = Output([ck_gemm_packed_size(inputs, outputs)])
        pack(transpose, inputs, outputs, into: buffer.pointer)
        layout = .values(StoredValues(buffer.tensor, keptAs: stored), transposed: nil)
    }

    /// From packed Wᵀ; W is packed too.
    init(panels: Tensor, outputs: Int, inputs: Int) {
        (self.outputs, self.inputs, parameter) = (outputs, inputs, nil)
        let buffer = Output([ck_gemm_packed_size(outputs, inputs)])
        Self.transpose(panels, outputs, inputs, into: buffer.pointer)
        layout = .values(StoredValues(panels), transposed: buffer.tensor)
    }

    /// What products with it are computed in.
    package var precision: Precision {
        switch layout {
        case .pairs: .bfloat16
        case .values: .float32
        case .remote(let weight): Precision(weight.dtype)
        }
    }

    /// W on the device that multiplies with it; nil on the CPU.
    var remote: Tensor? {
        if case .remote(let weight) = layout { weight } else { nil }
    }

    /// Where the layer computes.
    package var placement: Placement { remote.map { Placement($0.device, precision) } ?? .cpu }

    /// The weight as PyTorch has it, `[out, in]`, rounded where products are: a copy, made at each call.
    package var values: Tensor {
        if let remote { return remote.onHost }
        let out = Output([outputs, inputs])
        switch layout {
        case .remote: preconditionFailure("it was copied")
        case .pairs(let panels):
            Parallel.ranges((outputs + 31) / 32, grain: 1) { range in
                ck_pair_unpack(
                    panels.pointer.pairs, inputs, outputs, range.lowerBound, range.upperBound, out.pointer)
            }
            return withExtendedLifetime(panels) { out.tensor }
        case .values(let stored, _):
            let packed = stored.wide
            guard RightHandSide.usesPanels else { return packed.reshaped([outputs, inputs]) }
            Parallel.ranges((outputs + 31) / 32, grain: 1) { range in
                ck_gemm_unpack(packed.pointer, inputs, outputs, range.lowerBound, range.upperBound, out.pointer)
            }
            return withExtendedLifetime(packed) { out.tensor }
        }
    }

    /// x·Wᵀ + bias over the last dimension. Takes no gradients.
    func product(_ x: Tensor, bias: Tensor? = nil) -> Tensor {
        if let remote, let backend = remote.backend { return backend.linear(x, remote, bias: bias) }
        let x = x.onHost
        let out = Output(x.shape.dropLast() + [outputs])
        multiply(x.pointer, rows: x.rows, bias: bias?.pointer, into: out.pointer)
        return withExtendedLifetime(x) { out.tensor }
    }

    /// The backward pass, gradient·W over the last dimension. Takes no gradients.
    func productBack(_ gradient: Tensor) -> Tensor {
        if let remote, let backend = remote.backend {
            let rows = gradient.reshaped([gradient.rows, outputs])
            return backend.matmul(rows, remote, transposeA: false, transposeB: false)
                .reshaped(gradient.shape.dropLast() + [inputs])
        }
        let gradient = gradient.onHost
        let out = Output(gradient.shape.dropLast() + [inputs])
        multiplyBack(gradient.pointer, rows: gradient.rows, into: out.pointer)
        return withExtendedLifetime(gradient) { out.tensor }
    }

    /// x [rows, in] · Wᵀ + bias, or added to what `out` holds.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, bias: UnsafePointer<Float>? = nil, beta: Float = 0,
        into out: UnsafeMutablePointer<Float>
    ) {
        func multiply(_ right: RightHandSide) {
            gemm(rows, Matrix(pointer: x, stride: inputs), right, bias: bias, beta: beta, into: out, stride: outputs)
        }
        switch layout {
        case .remote: preconditionFailure("another back end has this weight")
        case .pairs(let panels):
            withExtendedLifetime(panels) { multiply(RightHandSide(pairs: panels.pointer.pairs, inputs, outputs)) }
        case .values(let stored, _):
            withExtendedLifetime(stored.wide) { packed in
                let matrix = Matrix(pointer: packed.pointer, stride: inputs, transposed: true)
                multiply(
                    RightHandSide.usesPanels
                        ? RightHandSide(packed: packed.pointer, inputs, outputs)
                        : RightHandSide(unpacked: matrix, inputs, outputs))
            }
        }
    }

    /// gradient [rows, out] · W.
    func multiplyBack(_ gradient: UnsafePointer<Float>, rows: Int, into out: UnsafeMutablePointer<Float>) {
        func multiply(_ right: RightHandSide) {
            gemm(rows, Matrix(pointer: gradient, stride: outputs), right, into: out, stride: inputs)
        }
        switch layout {
        case .remote: preconditionFailure("another back end has this weight")
        case .pairs(let panels):
            withScratch(ck_pair_panels_size(outputs, inputs)) { scratch in
                transposePairs(panels.pointer.pairs, inputs, outputs, into: scratch.pairs)
                multiply(RightHandSide(pairs: scratch.pairs, outputs, inputs))
            }
        case .values(_, let transposed?): multiply(RightHandSide(packed: transposed.pointer, outputs, inputs))
        case .values(let stored, nil):
            withExtendedLifetime(stored.wide) { packed in
                guard RightHandSide.usesPanels else {
                    let matrix = Matrix(pointer: packed.pointer, stride: inputs)
                    return multiply(RightHandSide(unpacked: matrix, outputs, inputs))
                }
                withScratch(ck_gemm_packed_size(outputs, inputs)) { scratch in
                    Self.transpose(packed, outputs, inputs, into: scratch)
                    multiply(RightHandSide(packed: scratch, outputs, inputs))
                }
            }
        }
    }

    /// From packed Wᵀ to packed W.
    private static func transpose(
        _ panels: Tensor, _ outputs: Int, _ inputs: Int, into scratch: UnsafeMutablePointer<Float>
    ) {
        nonisolated(unsafe) let scratch = scratch
        Parallel.ranges((inputs + 31) / 32, grain: max(1024 / outputs, 1)) { range in
            ck_gemm_transpose(panels.pointer, inputs, outputs, range.lowerBound, range.upperBound, scratch)
        }
    }
}

/// The transpose [columns, rows] of panels of pairs [rows, columns], on all cores.
func transposePairs(
    _ panels: UnsafePointer<UInt32>, _ rows: Int, _ columns: Int, into scratch: UnsafeMutablePointer<UInt32>
) {
    nonisolated(unsafe) let (panels, scratch) = (panels, scratch)
    let pairs = (columns + 1) / 2
    Parallel.ranges((rows + 31) / 32, grain: max(1024 / max(columns, 1), 1)) { range in
        for panel in range {
            ck_pair_transpose(
                panels, rows, columns, panel * 32, rows - panel * 32 > 16 ? 32 : 16, scratch + panel * 32 * pairs)
        }
    }
}
