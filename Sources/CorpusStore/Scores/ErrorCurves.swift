/// ‖ε − ε̂(z_t, c, t)‖² of a sample under its prompt, the empty prompt and near-miss prompts. All prompts see the same noise, so
/// that differences between them have far less variance than the errors.
package struct ErrorCurves: Sendable, Equatable {
    /// The near-miss prompts, in the order that they were measured in.
    package var negatives: [String]
    /// Summed over the latent's C·h·w values, `[draws, timesteps, prompts]`: the prompt, the empty prompt, the negatives.
    package var errors: [Float]

    package init(negatives: [String], errors: [Float]) { (self.negatives, self.errors) = (negatives, errors) }

    /// How many prompts were compared.
    package var prompts: Int { 2 + negatives.count }
}

/// Where the near-miss prompts of a scorer come from.
package struct NegativeSource: Sendable, Equatable, Codable {
    /// `rules`, `corpus`, or `sha256:` and the digest of the file that lists them.
    package var source: String
    /// At most so many for each prompt.
    package var count: Int
    /// What chooses among those that the rules give.
    package var seed: Int

    package init(source: String, count: Int, seed: Int = 0) {
        (self.source, self.count, self.seed) = (source, count, seed)
    }

    var json: CanonicalJSON {
        .object(["source": .string(source), "count": .integer(count), "seed": .integer(seed)])
    }
}

/// What the catalogue keeps of error curves; NaN where there is no value.
package struct CurveScores: Sendable, Equatable {
    package var contrast, contrastError, contrastHard, pointwise: Double

    package init(
        contrast: Double = .nan, contrastError: Double = .nan, contrastHard: Double = .nan, pointwise: Double = .nan
    ) {
        (self.contrast, self.contrastError) = (contrast, contrastError)
        (self.contrastHard, self.pointwise) = (contrastHard, pointwise)
    }
}
