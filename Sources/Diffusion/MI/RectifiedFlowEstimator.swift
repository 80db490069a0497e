/// The series behind an MI score of a flow-matching model: at each step, with δ = v_c − v_∅, the sums a = Σ v_c·δ and
/// b = Σ δ² over the latent's C·h·w values.
package struct VelocityTrace: Sendable, Equatable {
    /// From noisy to clean, 1…0: z_σ = (1 − σ)·z + σ·ε.
    package let sigmas: [Float]
    /// a; NaN where a step was not guided, as is b.
    package let velocityDelta: [Float]
    /// b
    package let deltaSquared: [Float]

    package init(sigmas: [Float], velocityDelta: [Float], deltaSquared: [Float]) {
        precondition(
            sigmas.count == velocityDelta.count && sigmas.count == deltaSquared.count, "a trace has one value per step")
        (self.sigmas, self.velocityDelta, self.deltaSquared) = (sigmas, velocityDelta, deltaSquared)
    }
}

/// The mean of (1 − σ)/σ · a over the steps with 0.05 < σ < 1 (RFMI, arXiv 2503.14358). With a guidance scale w, that of
/// the guided velocity v_∅ + w·δ: w·(a − b) + w²·b in the place of a.
package struct RectifiedFlowEstimator: Sendable {
    /// Nil for the prediction with the prompt alone.
    package let guidance: Double?
    /// At the ends, a weight or a velocity is of no use.
    package static let sigmas: (low: Float, high: Float) = (0.05, 1)

    package init(guidance: Double? = nil) { self.guidance = guidance }

    /// The name by which queries and selections know it.
    package var name: String { guidance == nil ? "rf" : "rf_cfg" }

    /// NaN where the trace has no usable step.
    package func estimate(_ trace: VelocityTrace) -> MIEstimate {
        var terms: [Double] = []
        for (index, sigma) in trace.sigmas.enumerated() {
            let (a, b) = (Double(trace.velocityDelta[index]), Double(trace.deltaSquared[index]))
            guard sigma > Self.sigmas.low, sigma < Self.sigmas.high, !a.isNaN, !b.isNaN else { continue }
            let inner = guidance.map { $0 * (a - b) + $0 * $0 * b } ?? a
            terms.append((1 - Double(sigma)) / Double(sigma) * inner)
        }
        return MIEstimate(meanOf: terms)
    }
}

extension MIEstimate {
    /// The mean of some terms, and its standard error.
    init(meanOf terms: [Double]) {
        let count = Double(terms.count)
        guard count > 0 else {
            self.init(value: .nan, standardError: .nan)
            return
        }
        let mean = terms.reduce(0, +) / count
        guard count > 1 else {
            self.init(value: mean, standardError: .nan)
            return
        }
        let variance = terms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        self.init(value: mean, standardError: (variance / count).squareRoot())
    }
}
