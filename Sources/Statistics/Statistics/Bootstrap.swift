import Randomness

/// A mean with the interval that resampling gives it.
package struct MeanInterval: Sendable, Equatable, Codable {
    package let mean, low, high: Double
    /// How many values it is the mean of.
    package let count: Int

    package init(mean: Double, low: Double, high: Double, count: Int) {
        (self.mean, self.low, self.high, self.count) = (mean, low, high, count)
    }

    /// Whether 0 is outside, for a difference.
    package var excludesZero: Bool { low > 0 || high < 0 }
}

/// The percentile bootstrap of a mean (Efron 1979): the values are drawn again with replacement, many times, and the interval
/// holds the middle of the means that come out.
///
/// With one value per prompt, prompts are what is resampled, and images of one prompt stay together.
package struct Bootstrap: Sendable, Equatable {
    package var resamples: Int
    package var seed: UInt64
    /// The share of the means that the interval holds.
    package var confidence: Double

    package init(resamples: Int = 4000, seed: UInt64 = 42, confidence: Double = 0.95) {
        precondition(resamples > 0 && (0..<1).contains(confidence), "\(resamples) resamples, confidence \(confidence)")
        (self.resamples, self.seed, self.confidence) = (resamples, seed, confidence)
    }

    /// - Parameter values: one for each unit that is resampled, finite.
    /// - Returns: nil for no values; the interval of a single one is that value.
    package func mean(of values: [Double]) -> MeanInterval? {
        guard !values.isEmpty else { return nil }
        let count = values.count
        var generator = SplitMix64(seed: seed)
        var means = [Double](repeating: 0, count: resamples)
        values.withUnsafeBufferPointer { values in
            for index in means.indices {
                var sum = 0.0
                for _ in 0..<count { sum += values[generator.integer(below: count)] }
                means[index] = sum / Double(count)
            }
        }
        means.sort()
        let tail = (1 - confidence) / 2
        return MeanInterval(
            mean: values.reduce(0, +) / Double(count), low: Self.quantile(tail, means),
            high: Self.quantile(1 - tail, means), count: count)
    }

    /// Linear between the two nearest, as numpy's default.
    private static func quantile(_ share: Double, _ sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }
}
