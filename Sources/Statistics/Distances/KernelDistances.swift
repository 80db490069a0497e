import Tensors

/// KID, the kernel Inception distance (arXiv 1801.01401): the unbiased squared MMD under (x·y/d + 1)³, as the mean over
/// random subsets, as torch-fidelity and clean-fid have it.
package struct KernelInceptionDistance: Sendable {
    /// Mean and standard deviation over the subsets.
    package let mean, deviation: Double
    package let subsets, subsetSize: Int

    /// torch-fidelity's settings; its default seed picks the same images here.
    package static let (defaultSubsets, defaultSize, defaultSeed) = (100, 1000, UInt32(2020))

    /// - Parameters:
    ///   - a: features of one set.
    ///   - b: of the other.
    ///   - subsets: how many are drawn.
    ///   - size: images of a subset; all of them where there are fewer, as clean-fid does.
    ///   - seed: of the subsets.
    ///   - isCancelled: asked before each subset.
    ///   - progress: told how many subsets are done.
    /// - Throws: ``MetricsError`` for two widths; `CancellationError` when canceled.
    package init(
        _ a: Features, _ b: Features, subsets: Int = Self.defaultSubsets, size: Int = Self.defaultSize,
        seed: UInt32 = Self.defaultSeed, isCancelled: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
    ) throws {
        try Features.requireSameEncoder(a, b)
        let size = min(size, a.count, b.count)
        // Subsets of everything are all the same.
        let subsets = size == a.count && size == b.count ? 1 : subsets
        var generator = NumPyGenerator(seed: seed)
        var values: [Double] = []
        for _ in 0..<subsets {
            if isCancelled() { throw CancellationError() }
            let x = a.matrix.picking(generator.choice(a.count, size))
            let y = b.matrix.picking(generator.choice(b.count, size))
            values.append(MaximumMeanDiscrepancy.value(x, y, .cubic(width: a.width), isUnbiased: true))
            progress(values.count)
        }
        let mean = values.reduce(0, +) / Double(values.count)
        (self.mean, self.subsets, subsetSize) = (mean, subsets, size)
        deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    /// The same distance over all images at once, for its interval.
    package static func ofAll(_ a: Features, _ b: Features) -> MaximumMeanDiscrepancy {
        MaximumMeanDiscrepancy(a.matrix, b.matrix, .cubic(width: a.width), isUnbiased: true)
    }
}

/// CMMD (arXiv 2401.09603): 1000 times the squared MMD under a Gaussian kernel of σ = 10, biased as in the paper. The
/// paper's features are CLIP's image embeddings scaled to length 1.
package struct CLIPMeanDiscrepancy: Sendable {
    package let value: Double
    let influences: [[Double]]

    static let (sigma, scale) = (10.0, 1000.0)

    /// - Throws: ``MetricsError`` for two widths.
    package init(_ a: Features, _ b: Features) throws(MetricsError) {
        try Features.requireSameEncoder(a, b)
        let discrepancy = MaximumMeanDiscrepancy(
            a.matrix, b.matrix, .gaussian(sigma: Self.sigma), isUnbiased: false)
        value = Self.scale * discrepancy.value
        influences = discrepancy.influences.map { $0.map { Self.scale * $0 } }
    }
}
