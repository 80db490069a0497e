/// The series behind one MI score: ‖ε(z_t, p, t) − ε(z_t, ∅, t)‖² at the timesteps of one generation.
package struct MITrace: Sendable, Equatable {
    /// From noisy to clean.
    package let timesteps: [Int]
    /// Summed over the latent's C·h·w values; NaN where a step was not guided.
    package let deltaSquared: [Float]

    package init(timesteps: [Int], deltaSquared: [Float]) {
        precondition(timesteps.count == deltaSquared.count, "a trace has one value a timestep")
        (self.timesteps, self.deltaSquared) = (timesteps, deltaSquared)
    }
}

/// An estimate of the mutual information between prompt and image, in nats.
package struct MIEstimate: Sendable, Equatable {
    package let value: Double
    /// The standard error of the mean over the kept steps; NaN when fewer than two were kept.
    package let standardError: Double

    package init(value: Double, standardError: Double) {
        (self.value, self.standardError) = (value, standardError)
    }
}

/// A pure function from a trace to an estimate. More will come: a new one is a type that conforms, and nothing else.
package protocol MIEstimator: Sendable {
    /// The name by which queries and selections know it.
    var name: String { get }
    /// NaN where the trace has no usable step.
    func estimate(_ trace: MITrace, schedule: NoiseSchedule) -> MIEstimate
}

/// The weight κ_t of a timestep.
package enum Kappa: String, Sendable, CaseIterable {
    /// β_t·T / (2·α_t·(1 − ᾱ_t)) (arXiv 2405.20759).
    case paper
    /// β_t·T / (2·(1 − ᾱ_t)), as the authors' code has it.
    case reference

    package func weight(_ t: Int, _ schedule: NoiseSchedule) -> Float {
        let plain = schedule.betas[t] * Float(schedule.count) / (2 * (1 - schedule.alphasCumprod[t]))
        return self == .paper ? plain / schedule.alphas[t] : plain
    }
}

/// The mean of κ_t·δ_t over the steps with t above a cut: below it the integrand's variance explodes.
package struct MeanKappaEstimator: MIEstimator {
    package let kappa: Kappa
    package let cutoff: Int

    package init(kappa: Kappa = .paper, cutoff: Int = 50) { (self.kappa, self.cutoff) = (kappa, cutoff) }

    package var name: String { kappa.rawValue }

    package func estimate(_ trace: MITrace, schedule: NoiseSchedule) -> MIEstimate {
        // One allocation: a catalogue that is filled again asks this of millions of traces.
        let terms = [Double](unsafeUninitializedCapacity: trace.timesteps.count) { terms, kept in
            for (t, delta) in zip(trace.timesteps, trace.deltaSquared) {
                guard t > cutoff, t < schedule.count, !delta.isNaN else { continue }
                let weight = Double(kappa.weight(t, schedule))
                // With zero terminal SNR the last timestep has no finite weight: nothing of the image is left there.
                guard weight.isFinite else { continue }
                terms[kept] = weight * Double(delta)
                kept += 1
            }
        }
        return MIEstimate(meanOf: terms)
    }
}
