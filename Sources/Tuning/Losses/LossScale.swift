package import Tensors

/// What a loss is multiplied by where gradients pass through float16, whose numbers end at 6e-8 and 65504.
///
/// A loss is a mean over the values of its predictions, so that their gradients are as small as there are many. The scale, a
/// power of two next to an eighth of their number, brings them near 1; gradients of parameters, in float32, are divided
/// by it, which is exact.
package enum LossScale {
    /// 1 for other types than float16.
    ///
    /// - Parameters:
    ///   - dtype: what the network computes in.
    ///   - values: how many the loss is a mean over.
    ///   - steepness: the loss's.
    ///   - share: what the loss counts for in a step.
    package static func factor(_ dtype: DType, values: Int, steepness: Double, share: Double) -> Float {
        guard dtype == .float16, values > 0, steepness > 0, share > 0 else { return 1 }
        return Float(sign: .plus, exponent: Int((Double(values) / (steepness * share)).exponent) - 3, significand: 1)
    }
}
