import Tensors

/// Where a value lies with 95 % confidence, over the images that were drawn.
package struct MetricInterval: Sendable, Equatable, Codable {
    package let low, high: Double

    package init(low: Double, high: Double) { (self.low, self.high) = (low, high) }
}

/// Bootstrap intervals of values that are a sum of means over independent samples, as the kernel distances are to first
/// order and shares are exactly.
package enum ResampledMeans {
    /// The central 95 % of what the value is when the rows of each sample are drawn again.
    ///
    /// - Parameters:
    ///   - value: what was measured.
    ///   - samples: what each image of each set adds to the value; only differences count.
    ///   - resamples: how often to draw.
    ///   - seed: of the draws: the same seed gives the same interval.
    package static func interval(
        around value: Double, _ samples: [[Double]], resamples: Int, seed: UInt64
    ) -> MetricInterval? {
        guard resamples > 0, samples.allSatisfy({ !$0.isEmpty }) else { return nil }
        let means = samples.map { $0.reduce(0, +) / Double($0.count) }
        let shifts = Parallel.map(resamples) { resample in
            var shift = 0.0
            for (index, sample) in samples.enumerated() {
                let draws = CounterGenerator(seed: seed, stream: UInt64(resample * samples.count + index))
                var sum = 0.0
                for position in sample.indices { sum += sample[draws.integer(UInt64(position), below: sample.count)] }
                shift += sum / Double(sample.count) - means[index]
            }
            return shift
        }.sorted()
        return MetricInterval(low: value + quantile(shifts, 0.025), high: value + quantile(shifts, 0.975))
    }

    /// Linear between the nearest two of some sorted values.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let (low, rest) = (Int(place), place - Double(Int(place)))
        return rest == 0 ? sorted[low] : sorted[low] * (1 - rest) + sorted[low + 1] * rest
    }
}
