import CKernels

/// The weight of a linear layer in the layout that products read, made once, so that a use of it costs no copy.
///
/// How it is laid out, in how many bits and for which kernels, is private to this module.
package struct PreparedLinear: Sendable {
    package let outputs, inputs: Int
    /// Where gradients go; nil for a frozen weight.
    let parameter: Tensor?
    /// Packed Wᵀ (panels.c), or W itself for OpenBLAS.
    let packed: StoredValues
    /// Packed W, for the backward pass; nil where it is packed at each use.
    private let turned: Tensor?

    /// - Parameters:
    ///   - weight: `[out, in]`, as PyTorch stores it.
    ///   - precision: what to keep it in where that loses nothing.
    package init(_ weight: Tensor, keptAs precision: WeightPrecision = .float32) {
        precondition(weight.shape.count == 2, "the weight of a linear layer is a matrix, not \(weight.shape)")
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        (self.outputs, self.inputs) = (outputs, inputs)
        parameter = weight.requiresGradient ? weight : nil
        turned = nil
        guard RightHandSide.usesPanels else {
            packed = StoredValues(weight.detached, keptAs: precision)
            return
        }
        let room = Output([ck_gemm_packed_size(inputs, outputs)])
        pack(Matrix(pointer: weight.pointer, stride: inputs, transposed: true), inputs, outputs, into: room.pointer)
        packed = StoredValues(room.tensor, keptAs: precision)
    }

    /// From packed Wᵀ; W is packed too.
    init(panels: Tensor, outputs: Int, inputs: Int) {
        (self.outputs, self.inputs, parameter, packed) = (outputs, inputs, nil, StoredValues(panels))
        let room = Output([ck_gemm_packed_size(outputs, inputs)])
        Self.turn(panels, outputs, inputs, into: room.pointer)
        turned = room.tensor
    }

    /// The weight as PyTorch has it, `[out, in]`: a copy, made at each call.
    package var values: Tensor {
        let packed = packed.wide
        guard RightHandSide.usesPanels else { return packed.reshaped([outputs, inputs]) }
        let out = Output([outputs, inputs])
        Parallel.ranges((outputs + 31) / 32, grain: 1) { range in
            ck_gemm_unpack(packed.pointer, inputs, outputs, range.lowerBound, range.upperBound, out.pointer)
        }
        return withExtendedLifetime(packed) { out.tensor }
    }

    /// x [rows, in] · Wᵀ + bias, or added to what `out` holds.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, bias: UnsafePointer<Float>? = nil, beta: Float = 0,
        into out: UnsafeMutablePointer<Float>
    ) {
        withExtendedLifetime(packed.wide) { packed in
            let right =
                RightHandSide.usesPanels
                ? RightHandSide(packed: packed.pointer, inputs, outputs)
                : RightHandSide(
                    unpacked: Matrix(pointer: packed.pointer, stride: inputs, transposed: true), inputs, outputs)
            gemm(rows, Matrix(pointer: x, stride: inputs), right, bias: bias, beta: beta, into: out, stride: outputs)
        }
    }

    /// gradient [rows, out] · W.
    func multiplyBack(_ gradient: UnsafePointer<Float>, rows: Int, into out: UnsafeMutablePointer<Float>) {
        let left = Matrix(pointer: gradient, stride: outputs)
        if let turned {
            gemm(rows, left, RightHandSide(packed: turned.pointer, outputs, inputs), into: out, stride: inputs)
            return
        }
        withExtendedLifetime(packed.wide) { packed in
            guard RightHandSide.usesPanels else {
                let right = RightHandSide(unpacked: Matrix(pointer: packed.pointer, stride: inputs), outputs, inputs)
                gemm(rows, left, right, into: out, stride: inputs)
                return
            }
            withScratch(ck_gemm_packed_size(outputs, inputs)) { room in
                Self.turn(packed, outputs, inputs, into: room)
                gemm(rows, left, RightHandSide(packed: room, outputs, inputs), into: out, stride: inputs)
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
