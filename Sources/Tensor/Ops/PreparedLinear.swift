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
        case values(StoredValues, turned: Tensor?)
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
        let transpose = Matrix(pointer: weight.pointer, stride: inputs, transposed: true)
        guard precision == .float32 || parameter != nil else {
            let room = Output([ck_pair_panels_size(inputs, outputs)])
            packPairs(transpose, inputs, outputs, into: room.pointer.pairs)
            layout = .pairs(room.tensor)
            return
        }
        guard RightHandSide.usesPanels else {
            layout = .values(StoredValues(weight.detached, keptAs: stored), turned: nil)
            return
        }
        let room = Output([ck_gemm_packed_size(inputs, outputs)])
        pack(transpose, inputs, outputs, into: room.pointer)
        layout = .values(StoredValues(room.tensor, keptAs: stored), turned: nil)
    }

    /// From packed Wᵀ; W is packed too.
    init(panels: Tensor, outputs: Int, inputs: Int) {
        (self.outputs, self.inputs, parameter) = (outputs, inputs, nil)
        let room = Output([ck_gemm_packed_size(outputs, inputs)])
        Self.turn(panels, outputs, inputs, into: room.pointer)
        layout = .values(StoredValues(panels), turned: room.tensor)
    }

    /// What products with it are computed in.
    package var precision: Precision {
        switch layout {
        case .pairs: .bfloat16
        case .values: .float32
        case .remote(let weight): weight.dtype == .float32 ? .float32 : .bfloat16
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
                let lying = Matrix(pointer: packed.pointer, stride: inputs, transposed: true)
                multiply(
                    RightHandSide.usesPanels
                        ? RightHandSide(packed: packed.pointer, inputs, outputs)
                        : RightHandSide(unpacked: lying, inputs, outputs))
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
            withScratch(ck_pair_panels_size(outputs, inputs)) { room in
                turnPairs(panels.pointer.pairs, inputs, outputs, into: room.pairs)
                multiply(RightHandSide(pairs: room.pairs, outputs, inputs))
            }
        case .values(_, let turned?): multiply(RightHandSide(packed: turned.pointer, outputs, inputs))
        case .values(let stored, nil):
            withExtendedLifetime(stored.wide) { packed in
                guard RightHandSide.usesPanels else {
                    let lying = Matrix(pointer: packed.pointer, stride: inputs)
                    return multiply(RightHandSide(unpacked: lying, outputs, inputs))
                }
                withScratch(ck_gemm_packed_size(outputs, inputs)) { room in
                    Self.turn(packed, outputs, inputs, into: room)
                    multiply(RightHandSide(packed: room, outputs, inputs))
                }
            }
        }
    }

    /// From packed Wᵀ to packed W.
    private static func turn(
        _ panels: Tensor, _ outputs: Int, _ inputs: Int, into room: UnsafeMutablePointer<Float>
    ) {
        nonisolated(unsafe) let room = room
        Parallel.ranges((inputs + 31) / 32, grain: max(1024 / outputs, 1)) { range in
            ck_gemm_turn(panels.pointer, inputs, outputs, range.lowerBound, range.upperBound, room)
        }
    }
}

/// The transpose [columns, rows] of panels of pairs [rows, columns], on all cores.
func turnPairs(
    _ panels: UnsafePointer<UInt32>, _ rows: Int, _ columns: Int, into room: UnsafeMutablePointer<UInt32>
) {
    nonisolated(unsafe) let (panels, room) = (panels, room)
    let pairs = (columns + 1) / 2
    Parallel.ranges((rows + 31) / 32, grain: max(1024 / max(columns, 1), 1)) { range in
        for panel in range {
            ck_pair_turn(
                panels, rows, columns, panel * 32, rows - panel * 32 > 16 ? 32 : 16, room + panel * 32 * pairs)
        }
    }
}
