/// Tells early which images of a prompt are the best by contrast: one that is clearly worse than the last that would be kept
/// is measured no further (successive elimination, Even-Dar et al. 2006).
///
/// All images see the same noise, so differences between them are far more certain than their values. Their standard
/// error is the jackknife's over timesteps.
package struct SuccessiveElimination: Sendable {
    /// How many images are to be told from the rest.
    package var keep: Int
    /// Standard errors that an image must be worse by.
    package var certainty: Double
    package var estimator: ContrastEstimator

    /// Fewer timesteps have no standard error to speak of.
    private static let leastTimesteps = 3

    package init(keep: Int, certainty: Double = 1.5, estimator: ContrastEstimator = ContrastEstimator()) {
        precondition(keep > 0, "nothing to keep")
        (self.keep, self.certainty, self.estimator) = (keep, certainty, estimator)
    }

    /// - Parameters:
    ///   - errors: of the images that are still measured, all at the same timesteps.
    ///   - schedule: of the model that measured them.
    /// - Returns: the places of those that need no more.
    package func settled(_ errors: [DenoisingErrors], schedule: NoiseSchedule) -> [Int] {
        guard errors.count > keep else { return [] }
        func value(_ errors: DenoisingErrors) -> Double { estimator.estimate(errors, schedule: schedule).value }
        let values = errors.map(value)
        let range = estimator.range
        let steps = errors[0].timesteps.indices.filter {
            errors[0].timesteps[$0] > range.above && errors[0].timesteps[$0] <= range.highest
        }
        guard steps.count >= Self.leastTimesteps, values.allSatisfy(\.isFinite) else { return [] }
        let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
        let last = order[keep - 1]
        let reduced = steps.map { value(errors[last].without(step: $0)) }
        return order[keep...].filter { place in
            let differences = zip(steps, reduced).map { step, other in value(errors[place].without(step: step)) - other
            }
            let mean = differences.reduce(0, +) / Double(differences.count)
            let spread = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let error = (Double(steps.count - 1) / Double(steps.count) * spread).squareRoot()
            return values[place] - values[last] + certainty * error < 0
        }.sorted()
    }

    /// Places in an order of which any first part is spread over the whole: halves, quarters, and so on.
    package static func spread(_ count: Int) -> [Int] {
        var width = 1
        while width < count { width *= 2 }
        var bits = 0
        while 1 << bits < width { bits += 1 }
        return (0..<width).map { place in (0..<bits).reduce(0) { $0 << 1 | (place >> $1 & 1) } }.filter { $0 < count }
    }
}

extension DenoisingErrors {
    /// The same but for one of the timesteps.
    func without(step: Int) -> DenoisingErrors {
        var values: [Float] = []
        for draw in 0..<draws {
            for other in timesteps.indices where other != step { values += row(draw, other) }
        }
        var timesteps = timesteps
        timesteps.remove(at: step)
        return DenoisingErrors(timesteps: timesteps, draws: draws, prompts: prompts, values: values)
    }
}
