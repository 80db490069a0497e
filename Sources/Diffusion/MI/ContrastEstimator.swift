import Foundation

/// A pure function from denoising errors to how well an image fits its prompt, larger being better.
package protocol ErrorEstimator: Sendable {
    /// NaN where no timestep counts, or there is nothing to compare with.
    func estimate(_ errors: DenoisingErrors, schedule: NoiseSchedule) -> MIEstimate
}

/// Contrastive MI: the log of the prompt's share in a softmax of −error/τ over the prompt and its near misses.
/// At most 0; −log(1 + near misses) says nothing.
///
/// The errors are log-likelihoods up to a weight for each timestep (arXiv 2303.16203), so this is the log-posterior of the
/// prompt among prompts that differ from it in one thing. What raises the likelihood under all of them, as extra objects
/// do, cancels.
package struct ContrastEstimator: ErrorEstimator, Equatable {
    /// What a softmax is taken of.
    package enum Pooling: String, Sendable, CaseIterable {
        /// The mean errors over draws and timesteps: noise averages out before prompts compete.
        case mean
        /// The errors of each draw and timestep, and the mean of what comes out.
        case draw
    }

    package var range: ErrorRange
    /// τ, in units of the errors: summed over the latent's C·h·w values.
    package var temperature: Double
    package var pooling: Pooling
    /// What ln(error under the prompt) counts, subtracted: the log of the likelihood beside that of the posterior. It holds
    /// back images that the model finds unlikely under all prompts alike, such as those with extra objects, whose share is
    /// near 1 because near misses are yet unlikelier. The log makes it free of the errors' unit.
    package var errorWeight: Double

    package init(
        range: ErrorRange = ErrorRange(), temperature: Double = 0.25, pooling: Pooling = .mean, errorWeight: Double = 0
    ) {
        (self.range, self.temperature, self.pooling, self.errorWeight) = (range, temperature, pooling, errorWeight)
    }

    package func estimate(_ errors: DenoisingErrors, schedule: NoiseSchedule) -> MIEstimate {
        switch pooling {
        case .draw:
            return MIEstimate(errors, range, schedule) { prompt, _, negatives in
                negatives.isEmpty ? nil : logShare(prompt, negatives)
            }
        case .mean:
            var sums = Array(repeating: [Double](), count: errors.draws)
            var counts = Array(repeating: 0, count: errors.draws)
            range.forEach(errors, schedule) { draw, prompt, _, negatives in
                let row = [prompt] + negatives
                sums[draw] = sums[draw].isEmpty ? row : zip(sums[draw], row).map(+)
                counts[draw] += 1
            }
            let used = sums.indices.filter { counts[$0] > 0 && sums[$0].count > 1 }
            guard let first = used.first else { return MIEstimate(meanOf: []) }
            let whole = used.dropFirst().reduce(sums[first]) { zip($0, sums[$1]).map(+) }
            let value = share(whole, used.reduce(0) { $0 + counts[$1] })
            // As if each draw were all that is known; those of all together differ less.
            let apart = MIEstimate(meanOf: used.map { share(sums[$0], counts[$0]) })
            return MIEstimate(value: value, standardError: apart.standardError)
        }
    }

    /// - Parameters:
    ///   - sums: of the errors under the prompt, then its near misses.
    ///   - count: how many were added up.
    private func share(_ sums: [Double], _ count: Int) -> Double {
        let means = sums.map { $0 / Double(count) }
        return logShare(means[0], Array(means.dropFirst()))
    }

    private func logShare(_ prompt: Double, _ negatives: [Double]) -> Double {
        let exponents = negatives.map { (prompt - $0) / temperature }
        // Relative to the largest, so that nothing overflows.
        let most = max(0, exponents.max() ?? 0)
        let share = -most - log(exp(-most) + exponents.reduce(0) { $0 + exp($1 - most) })
        return errorWeight == 0 ? share : share - errorWeight * log(prompt)
    }
}

/// The hard form: the least mean error of a near miss, less the prompt's. Above 0, the denoiser takes the image for one of the
/// prompt rather than of any near miss.
package struct HardContrastEstimator: ErrorEstimator, Equatable {
    package var range: ErrorRange

    package init(range: ErrorRange = ErrorRange()) { self.range = range }

    package func estimate(_ errors: DenoisingErrors, schedule: NoiseSchedule) -> MIEstimate {
        var (count, sums) = (0, [Double]())
        range.forEach(errors, schedule) { _, prompt, _, negatives in
            let row = negatives.map { $0 - prompt }
            sums = sums.isEmpty ? row : zip(sums, row).map(+)
            count += 1
        }
        guard count > 0, let least = sums.indices.min(by: { sums[$0] < sums[$1] }) else {
            return MIEstimate(meanOf: [])
        }
        return MIEstimate(errors, range, schedule) { prompt, _, negatives in negatives[least] - prompt }
    }
}

/// The point-wise form (ITD, arXiv 2310.07972): the error under the empty prompt less the error under the prompt.
package struct PointwiseEstimator: ErrorEstimator, Equatable {
    package var range: ErrorRange

    package init(range: ErrorRange = ErrorRange()) { self.range = range }

    package func estimate(_ errors: DenoisingErrors, schedule: NoiseSchedule) -> MIEstimate {
        MIEstimate(errors, range, schedule) { prompt, empty, _ in empty - prompt }
    }
}

extension MIEstimate {
    /// The mean of a term over draws and timesteps. Its standard error is that of the draws' means, or of the terms where
    /// there is one draw.
    fileprivate init(
        _ errors: DenoisingErrors, _ range: ErrorRange, _ schedule: NoiseSchedule,
        _ term: (_ prompt: Double, _ empty: Double, _ negatives: [Double]) -> Double?
    ) {
        var byDraw = Array(repeating: [Double](), count: errors.draws)
        range.forEach(errors, schedule) { draw, prompt, empty, negatives in
            if let value = term(prompt, empty, negatives) { byDraw[draw].append(value) }
        }
        let kept = byDraw.filter { !$0.isEmpty }
        self.init(
            meanOf: kept.count > 1 ? kept.map { $0.reduce(0, +) / Double($0.count) } : kept.first ?? [])
    }
}
