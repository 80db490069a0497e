import Foundation

/// How candidates are given up before they are finished: all of a prompt take the first steps, and the best by a score then
/// take the rest.
package struct PruningSettings: Sendable {
    /// What ranks candidates that are not finished.
    package enum Score: Sendable, Equatable {
        /// MI along the steps that were made: costs nothing.
        case mi
        /// Contrastive MI of the clean latents that the last step predicted: passes through the UNet of its own.
        case contrast(ContrastRanking = ContrastRanking())

        /// - Parameter text: `mi`, `contrast` or `contrast:error=0.3`, as ``ScoreForm`` has it; nil for anything else.
        package init?(_ text: String) {
            if text == "mi" {
                self = .mi
            } else {
                guard let ranking = ContrastRanking(text) else { return nil }
                self = .contrast(ranking)
            }
        }

        /// As manifests record it.
        var text: String {
            switch self {
            case .mi: "mi"
            case .contrast(let ranking): ranking.text
            }
        }
    }

    /// Candidates of each prompt that are finished.
    package let keep: Int
    /// The share of the steps before the choice.
    package let after: Double
    package var score = Score.mi
    /// Where the near misses of ``Score/contrast(_:)`` come from.
    package var negatives = NearMissSource.rules(seed: 0)
    /// At most so many near misses of each prompt.
    package var negativeCount = 6
    /// Timesteps at which contrast is measured, with one noise each.
    package var measurements = 4

    package init(keep: Int, after: Double) { (self.keep, self.after) = (keep, after) }

    /// Steps before the choice.
    ///
    /// - Throws: ``UsageError`` where that leaves nothing to save.
    func steps(of total: Int) throws(UsageError) -> Int {
        let steps = max(1, Int((after * Double(total)).rounded(.up)))
        guard steps < total else {
            throw UsageError(
                "--after is \(after) of \(total) steps, after which nothing is left to save: take a smaller share")
        }
        return steps
    }

    /// - Throws: ``UsageError`` where all candidates are kept.
    func check(imagesPerPrompt: Int) throws(UsageError) {
        guard keep < imagesPerPrompt else {
            throw UsageError(
                "--keep-best is \(keep), and there are \(imagesPerPrompt) candidates of each prompt: keep fewer, or make more "
                    + "with --images-per-prompt")
        }
    }

    /// As manifests record it; nil where no near misses are asked for.
    var negativesRecord: String? {
        guard score != .mi else { return nil }
        let source =
            switch negatives {
            case .rules(let seed): "rules:\(seed)"
            case .corpus: "corpus"
            case .file(let url): url.lastPathComponent
            }
        return "\(source), \(negativeCount), at \(measurements) timesteps"
    }
}

/// Passes of one image through the UNet under one prompt.
package struct Forwards: Equatable, Sendable, Codable {
    /// What was made, measurements included.
    package var spent = 0
    /// What finishing all candidates would have taken.
    package var unpruned = 0

    package init(spent: Int = 0, unpruned: Int = 0) { (self.spent, self.unpruned) = (spent, unpruned) }

    /// Of those that finishing all would have taken; 0 where there were none.
    package var share: Double { unpruned == 0 ? 0 : Double(spent) / Double(unpruned) }

    /// In one line; nil where nothing was made.
    package var text: String? {
        unpruned == 0
            ? nil
            : "\(spent) passes through the UNet in place of \(unpruned): \(formatted(100 * share, digits: 1)) % of what finishing "
                + "all candidates would have taken"
    }
}
