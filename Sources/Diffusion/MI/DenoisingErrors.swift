/// ‖ε − ε̂(z_t, c, t)‖² of one image at some timesteps under several prompts, with noise that all of them share.
package struct DenoisingErrors: Sendable, Equatable {
    /// From noisy to clean.
    package let timesteps: [Int]
    package let draws: Int
    /// How many prompts were compared: the image's own, the empty prompt, and its near misses.
    package let prompts: Int
    /// Summed over the latent's C·h·w values: `[draws, timesteps, prompts]`.
    package let values: [Float]

    package init(timesteps: [Int], draws: Int, prompts: Int, values: [Float]) {
        precondition(
            prompts >= 2 && values.count == draws * timesteps.count * prompts,
            "errors have one value a draw, timestep and prompt")
        (self.timesteps, self.draws, self.prompts, self.values) = (timesteps, draws, prompts, values)
    }

    /// The errors of one draw at one timestep: the prompt, the empty prompt, the near misses.
    func row(_ draw: Int, _ step: Int) -> ArraySlice<Float> {
        let start = (draw * timesteps.count + step) * prompts
        return values[start..<start + prompts]
    }
}

/// What a timestep's errors are multiplied by before they are compared.
package enum ErrorWeight: String, Sendable, CaseIterable {
    /// 1, as a denoiser is trained.
    case uniform
    /// κ_t of the paper, scaled to a mean of 1 over the timesteps that count.
    case kappa
    /// (1 − ᾱ_t)/ᾱ_t, scaled so: the error of the image that the prediction implies.
    case image
}

/// Which timesteps, draws and near misses count, and how their errors are weighed.
package struct ErrorRange: Sendable, Equatable {
    /// Timesteps t with above < t ≤ highest count. Of little noise, the image itself tells the denoiser what is there.
    package var above: Int
    package var highest: Int
    package var weight: ErrorWeight
    /// The first so many draws; nil for all.
    package var draws: Int?
    /// The first so many near misses; nil for all.
    package var negatives: Int?
    /// So many of the timesteps that are left, evenly spread; nil for all.
    package var timesteps: Int?

    package init(
        above: Int = 200, highest: Int = .max, weight: ErrorWeight = .uniform, draws: Int? = nil, negatives: Int? = nil,
        timesteps: Int? = nil
    ) {
        (self.above, self.highest, self.weight) = (above, highest, weight)
        (self.draws, self.negatives, self.timesteps) = (draws, negatives, timesteps)
    }

    /// So many of some places, evenly spread: the middles of as many equal parts.
    package static func spread(_ places: [Int], _ count: Int?) -> [Int] {
        guard let count, count < places.count else { return places }
        return (0..<count).map { places[(2 * $0 + 1) * places.count / (2 * count)] }
    }

    /// Calls `body` with the weighed errors of each draw and timestep that count; those with a value that is not finite are
    /// left out.
    ///
    /// - Parameter body: given the draw, the error under the prompt, under the empty prompt, and under the near misses.
    func forEach(
        _ errors: DenoisingErrors, _ schedule: NoiseSchedule,
        _ body: (_ draw: Int, _ prompt: Double, _ empty: Double, _ negatives: [Double]) -> Void
    ) {
        let steps = Self.spread(
            errors.timesteps.indices.filter { errors.timesteps[$0] > above && errors.timesteps[$0] <= highest },
            timesteps)
        let weights = weights(steps.map { errors.timesteps[$0] }, schedule)
        for draw in 0..<min(errors.draws, draws ?? errors.draws) {
            for (step, weight) in zip(steps, weights) where weight.isFinite {
                let row = errors.row(draw, step).map { Double($0) * weight }
                let near = row[2..<min(row.count, negatives.map { $0 + 2 } ?? row.count)]
                guard row[0].isFinite, row[1].isFinite, near.allSatisfy(\.isFinite) else { continue }
                body(draw, row[0], row[1], Array(near))
            }
        }
    }

    private func weights(_ timesteps: [Int], _ schedule: NoiseSchedule) -> [Double] {
        let plain = timesteps.map { t -> Double in
            guard schedule.betas.indices.contains(t) else { return .nan }
            let alpha = Double(schedule.alphasCumprod[t])
            return switch weight {
            case .uniform: 1
            case .kappa: Double(Kappa.paper.weight(t, schedule))
            case .image: (1 - alpha) / alpha
            }
        }
        let finite = plain.filter(\.isFinite)
        let mean = finite.reduce(0, +) / Double(max(finite.count, 1))
        return plain.map { $0 / mean }
    }
}
