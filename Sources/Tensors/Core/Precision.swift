import CKernels

/// What the two sides of a product are rounded to. Sums are in float32 either way, and so is everything that is not a
/// product.
package enum Precision: String, Sendable, Hashable, CaseIterable {
    case float32
    case bfloat16
    /// On devices of PyTorch only.
    case float16
    /// On CUDA only: values are float32, and its tensor cores round the sides of products to ten bits behind the point.
    case tf32

    /// Those that the CPU's own loops multiply in.
    package static let ofCPU: [Precision] = [.float32, .bfloat16]

    /// What weights and activations are on a device.
    package var dtype: DType {
        switch self {
        case .float32, .tf32: .float32
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }

    init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .bfloat16: self = .bfloat16
        case .float16: self = .float16
        }
    }

    /// What a loop of the CPU is for: whoever takes settings refuses the others there.
    func requireCPU() { precondition(Self.ofCPU.contains(self), "the CPU's loops do not multiply in \(self)") }
}

/// Which instructions multiply brain floats here.
package enum BFloat16Unit {
    /// "amx_bf16", "avx512_bf16", or "float32" where the processor has neither and values are widened again.
    package static var name: String { String(cString: ck_pair_unit_name()) }
    /// Whether products of brain floats are faster here than those of float32.
    package static var isFast: Bool { ck_pair_unit() != CK_PAIRS_PLAIN }
}
