import Tensors

/// What can be measured between two sets of features.
package enum QualityMetric: String, Sendable, CaseIterable, Codable {
    /// Fréchet distance.
    case fd
    case kid
    case cmmd
    /// Precision, recall, density and coverage.
    case prdc

    /// Whether mean and covariance alone are enough.
    var takesStatistics: Bool { self == .fd }
}

/// How two sets of features are compared.
package struct QualitySettings: Sendable {
    /// Nil for all that the files allow.
    package var metrics: [QualityMetric]?
    package var kidSubsets = KernelInceptionDistance.defaultSubsets
    package var kidSubsetSize = KernelInceptionDistance.defaultSize
    /// Neighbors of precision, recall, density and coverage.
    package var neighbors = PrecisionRecall.defaultNeighbors
    /// How often images are drawn again for an interval; 0 for no intervals.
    package var resamples = 1000
    /// The same for the Fréchet distance, each of which costs a decomposition.
    package var frechetResamples = 40
    package var seed: UInt32 = KernelInceptionDistance.defaultSeed

    package init() {}
}

/// Values with their intervals, and what a reader must know of them.
///
/// ```swift
/// let report = try QualityReport(reference: FeatureFile("real.npz"), generated: FeatureFile("made.npz"))
/// for value in report.values { print(value.name, value.value) }
/// ```
package struct QualityReport: Sendable, Encodable {
    /// One value. The interval is over the images that were drawn.
    package struct Value: Sendable, Encodable {
        package let name: String
        package let value: Double
        package let interval: MetricInterval?
        /// Of KID: the standard deviation over its subsets.
        package let deviation: Double?
    }

    package let reference, generated: String
    /// Nil where a file has mean and covariance alone and does not say.
    package let referenceImages, generatedImages: Int?
    package let dimensions: Int
    package private(set) var values: [Value] = []
    /// Sentences: biases, and what was left out and why.
    package private(set) var notes: [String] = []

    /// Compares features of generated images with those of real ones.
    ///
    /// - Parameters:
    ///   - reference: features of real images.
    ///   - generated: features of the images that are judged.
    ///   - settings: what is measured, and how.
    ///   - isCancelled: asked between parts of the work.
    ///   - progress: told what is measured, and how much of it is done.
    /// - Throws: ``MetricsError`` where the two do not fit each other or what was asked; `CancellationError`.
    package init(
        reference: FeatureFile, generated: FeatureFile, _ settings: QualitySettings = QualitySettings(),
        isCancelled: () -> Bool = { false },
        progress: (_ metric: QualityMetric, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
    ) throws {
        (self.reference, self.generated) = (reference.source, generated.source)
        (referenceImages, generatedImages) = (reference.count, generated.count)
        dimensions = reference.width
        try Features.requireSameWidth((reference.source, reference.width), (generated.source, generated.width))
        if let real = reference.features, let made = generated.features { try Features.requireSameEncoder(real, made) }
        for metric in try metrics(settings, reference, generated) {
            if isCancelled() { throw CancellationError() }
            try measure(metric, reference, generated, settings, isCancelled) { progress(metric, $0, $1) }
        }
    }

    /// What is measured: what was asked for, or all that can be.
    private mutating func metrics(
        _ settings: QualitySettings, _ reference: FeatureFile, _ generated: FeatureFile
    ) throws(MetricsError) -> [QualityMetric] {
        let lacking = [reference, generated].first { $0.features == nil }
        guard let lacking else { return settings.metrics ?? QualityMetric.allCases }
        if let asked = settings.metrics?.first(where: { !$0.takesStatistics }) {
            throw MetricsError(
                lacking.source, "has mu and sigma alone, from which only fd can be computed, not \(asked.rawValue)")
        }
        if settings.metrics == nil {
            notes.append("\(lacking.source) has mu and sigma alone: only the Fréchet distance can be computed")
        }
        return [.fd]
    }

    private mutating func measure(
        _ metric: QualityMetric, _ a: FeatureFile, _ b: FeatureFile, _ settings: QualitySettings,
        _ isCancelled: () -> Bool, _ progress: (_ done: Int, _ total: Int) -> Void
    ) throws {
        if metric == .fd { return try measureFrechet(a, b, settings, isCancelled, progress) }
        guard let real = a.features, let made = b.features else { return }
        func interval(_ value: Double, _ samples: [[Double]]) -> MetricInterval? {
            ResampledMeans.interval(
                around: value, samples, resamples: settings.resamples, seed: UInt64(settings.seed))
        }
        switch metric {
        case .fd: break
        case .kid:
            let kid = try KernelInceptionDistance(
                real, made, subsets: settings.kidSubsets, size: settings.kidSubsetSize, seed: settings.seed,
                isCancelled: isCancelled, progress: { progress($0, settings.kidSubsets) })
            let influences = settings.resamples > 0 ? KernelInceptionDistance.ofAll(real, made).influences : []
            add("kid", kid.mean, influences.isEmpty ? nil : interval(kid.mean, influences), deviation: kid.deviation)
            if kid.subsetSize < settings.kidSubsetSize {
                notes.append(
                    "kid: subsets of \(kid.subsetSize) images, since one side has no more; the usual size is "
                        + "\(settings.kidSubsetSize)")
            }
        case .cmmd:
            progress(0, 1)
            // Its definition has CLIP's embeddings at length 1. Vectors of other files are taken as they are.
            let isScaled = real.isOfCLIP && made.isOfCLIP
            let cmmd =
                isScaled
                ? try CLIPMeanDiscrepancy(real.normalized, made.normalized) : try CLIPMeanDiscrepancy(real, made)
            add("cmmd", cmmd.value, interval(cmmd.value, cmmd.influences))
        case .prdc:
            progress(0, 1)
            let shares = try PrecisionRecall(real: real, generated: made, k: settings.neighbors)
            add("precision", shares.precision, interval(shares.precision, [shares.isRealistic]))
            add("recall", shares.recall, interval(shares.recall, [shares.isReached]))
            add("density", shares.density, interval(shares.density, [shares.densities]))
            add("coverage", shares.coverage, interval(shares.coverage, [shares.isCovered]))
        }
    }

    private mutating func measureFrechet(
        _ a: FeatureFile, _ b: FeatureFile, _ settings: QualitySettings, _ isCancelled: () -> Bool,
        _ progress: (_ done: Int, _ total: Int) -> Void
    ) throws {
        let (first, second) = (a.statistics, b.statistics)
        let value = try FrechetDistance.between(first, second)
        let biases = [first, second].compactMap {
            FrechetDistance.bias(count: $0.count, width: $0.width, source: $0.source)
        }
        notes += biases
        guard let real = a.features, let made = b.features, biases.isEmpty, settings.frechetResamples > 1 else {
            return add("fd", value, nil)
        }
        var values: [Double] = []
        for resample in 0..<settings.frechetResamples {
            if isCancelled() { throw CancellationError() }
            let drawn = [real, made].enumerated().map { index, features in
                let draws = CounterGenerator(seed: UInt64(settings.seed), stream: UInt64(2 * resample + index))
                let rows = (0..<features.count).map { draws.integer(UInt64($0), below: features.count) }
                return FeatureStatistics(features.matrix.picking(rows), source: features.source)
            }
            values.append(try FrechetDistance.between(drawn[0], drawn[1]))
            progress(resample + 1, settings.frechetResamples)
        }
        // Drawing again adds a bias of its own, so that its quantiles lie too high: only its spread is used.
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let reach = 1.96 * variance.squareRoot()
        add("fd", value, MetricInterval(low: max(value - reach, 0), high: value + reach))
    }

    private mutating func add(
        _ name: String, _ value: Double, _ interval: MetricInterval?, deviation: Double? = nil
    ) {
        values.append(Value(name: name, value: value, interval: interval, deviation: deviation))
    }
}

extension FeatureFile {
    /// Nil where there is a mean and a covariance alone.
    package var features: Features? {
        if case .features(let features) = self { features } else { nil }
    }

    package var statistics: FeatureStatistics {
        switch self {
        case .features(let features): FeatureStatistics(features)
        case .statistics(let statistics): statistics
        }
    }

    package var count: Int? { features?.count }

    /// With every vector scaled to length 1.
    ///
    /// - Throws: ``MetricsError`` where there is a mean and a covariance alone.
    package var normalized: FeatureFile {
        get throws(MetricsError) {
            guard let features else {
                throw MetricsError(source, "has mu and sigma alone, which cannot be normalized: leave out --normalize")
            }
            return .features(features.normalized)
        }
    }
}
