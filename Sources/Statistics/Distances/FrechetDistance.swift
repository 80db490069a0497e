import Tensors

/// The Fréchet distance of two normal distributions, |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½): FID over Inception's features
/// (arXiv 1706.08500), FD-DINO over DINOv2's (arXiv 2306.04675).
package enum FrechetDistance {
    /// - Throws: ``MetricsError`` for two widths, and where a covariance is none.
    package static func between(_ a: FeatureStatistics, _ b: FeatureStatistics) throws(MetricsError) -> Double {
        try Features.requireSameWidth((a.source, a.width), (b.source, b.width))
        let shift = zip(a.mean, b.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return shift + a.covariance.trace + b.covariance.trace - 2 * (try traceOfRoot(a, b))
    }

    /// tr (Σ₁Σ₂)^½ by a symmetric problem: with Σ₁ = AᵀA, Σ₁Σ₂ has the eigenvalues of AΣ₂Aᵀ. A has as many rows as there
    /// are images where these are fewer than dimensions, so that a few images cost little.
    private static func traceOfRoot(_ a: FeatureStatistics, _ b: FeatureStatistics) throws(MetricsError) -> Double {
        let isSwapped = (b.factor?.rows ?? .max) < (a.factor?.rows ?? .max)
        let (first, second) = isSwapped ? (b, a) : (a, b)
        guard let factor = first.factor ?? first.covariance.squareRootFactor else {
            throw MetricsError(first.source, "has a covariance whose square root cannot be computed")
        }
        let half = DoubleMatrix.product(factor, .plain, second.covariance, .plain)
        let symmetric = DoubleMatrix.product(half, .plain, factor, .transposed)
        guard let values = symmetric.symmetricEigenvalues else {
            throw MetricsError(second.source, "has a covariance whose square root cannot be computed")
        }
        // The product is positive semidefinite; what is below zero is rounding.
        return values.reduce(0) { $0 + max($1, 0).squareRoot() }
    }

    /// What makes a distance less trustworthy, as a sentence: always too large, and more so the fewer the images, it says
    /// little where these are fewer than the features' dimensions.
    package static func bias(count: Int?, width: Int, source: String) -> String? {
        guard let count, count <= width else { return nil }
        return
            "the Fréchet distance is biased upward: \(source) has \(count) images and \(width) dimensions; take more "
            + "images, or go by kid and cmmd"
    }
}
