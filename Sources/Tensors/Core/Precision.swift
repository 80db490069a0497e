import CKernels

/// What the two sides of a product are rounded to. Sums are in float32 either way, and so is everything that is not a
/// product.
package enum Precision: String, Sendable, Hashable, CaseIterable {
    case float32
    case bfloat16
}

/// Which instructions multiply brain floats here.
package enum BFloat16Unit {
    /// "amx_bf16", "avx512_bf16", or "float32" where the processor has neither and values are widened again.
    package static var name: String { String(cString: ck_pair_unit_name()) }
    /// Whether products of brain floats are faster here than those of float32.
    package static var isFast: Bool { ck_pair_unit() != CK_PAIRS_PLAIN }
}
