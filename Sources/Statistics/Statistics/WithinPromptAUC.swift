/// How well a score puts images that a referee accepts above those that it rejects, among images of one prompt.
package enum WithinPromptAUC {
    /// The area under the ROC curve: the chance that an accepted image has the larger score than a rejected one, ties half.
    ///
    /// - Parameters:
    ///   - scores: finite.
    ///   - accepted: what the referee says of each.
    /// - Returns: nil where all are accepted, or none.
    package static func value(_ scores: [Double], accepted: [Bool]) -> Double? {
        precondition(scores.count == accepted.count, "\(scores.count) scores for \(accepted.count) verdicts")
        let positives = accepted.count { $0 }
        let negatives = accepted.count - positives
        guard positives > 0, negatives > 0 else { return nil }
        let ranks = RankCorrelation.ranks(scores)
        let sum = zip(ranks, accepted).reduce(0.0) { $0 + ($1.1 ? $1.0 : 0) }
        let least = Double(positives * (positives + 1)) / 2
        return (sum - least) / (Double(positives) * Double(negatives))
    }

    /// The referee's mean value of the images with the largest score: of several that tie, their mean.
    package static func top(_ scores: [Double], referee: [Double]) -> Double? {
        precondition(scores.count == referee.count, "\(scores.count) scores for \(referee.count) verdicts")
        guard let most = scores.max() else { return nil }
        let best = zip(scores, referee).filter { $0.0 == most }.map(\.1)
        return best.isEmpty ? nil : best.reduce(0, +) / Double(best.count)
    }
}
