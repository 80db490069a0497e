package import Statistics

/// How well a score ranks the images of a prompt as a referee does.
package struct Agreement: Codable, Sendable, Equatable {
    package let score: String
    /// `all`, or a category of prompts.
    package let category: String
    /// The area under the ROC curve within a prompt, over prompts of which the referee accepts some images and rejects
    /// others; nil for a referee with other values than 0 and 1.
    package let auc: MeanInterval?
    /// Rank correlations within a prompt, over those where neither is constant.
    package let spearman, kendall: MeanInterval?
    /// The referee's mean value of each prompt's image with the largest score, and of all its images: what a choice by the
    /// score is worth, and one by chance.
    package let top, chance: MeanInterval?
    /// The same choice over all prompts of several images, also those where the referee says the same of each: what a user
    /// gets who keeps the best image by the score; and how much that is above the mean of all images, paired by prompt.
    package let chosen, gain: MeanInterval?
}

/// Images with what a referee says of them, and the values of some scores.
struct JudgedImages {
    struct Image {
        /// Images of one group are compared: those of a prompt that were made in the same way.
        let group: String
        let prompt: String
        let category: String?
        let referee: Double
        /// By the scores' names.
        let scores: [String: Double]
    }

    let images: [Image]

    /// Groups of several images.
    private let groups: [[Image]]
    /// Why some, or all, of the images say nothing; nil where all groups do.
    let note: String?

    init(_ images: [Image]) {
        self.images = images
        let all = Dictionary(grouping: images, by: \.group)
        let several = all.filter { $0.value.count > 1 }
        groups = several.sorted { $0.key < $1.key }.map(\.value)
        note =
            several.isEmpty
            ? "there is one image per prompt, so no ranking within a prompt: make more with --images-per-prompt"
            : !groups.contains(where: Self.areToldApart)
                ? "the referee says the same of all images of each prompt, so no ranking within a prompt can be compared: make "
                    + "more images per prompt, or choose another referee"
                : nil
    }

    /// Whether the referee says different things of the images.
    private static func areToldApart(_ group: [Image]) -> Bool { group.contains { $0.referee != group[0].referee } }

    /// - Parameter scores: their names, in the order of the result.
    func agreements(of scores: [String], _ bootstrap: Bootstrap) -> [Agreement] {
        let categories = ["all"] + Set(images.compactMap(\.category)).sorted()
        return scores.flatMap { score in
            categories.compactMap { category in agreement(score, category, bootstrap) }
        }
    }

    private func agreement(_ score: String, _ category: String, _ bootstrap: Bootstrap) -> Agreement? {
        let isBinary = images.allSatisfy { $0.referee == 0 || $0.referee == 1 }
        // One value per prompt: the mean over the ways in which its images were made.
        var (auc, spearman, kendall): (ByPrompt, ByPrompt, ByPrompt) = (ByPrompt(), ByPrompt(), ByPrompt())
        var (top, chance, chosen, gain) = (ByPrompt(), ByPrompt(), ByPrompt(), ByPrompt())
        for group in groups where category == "all" || group[0].category == category {
            let prompt = group[0].prompt
            let values = group.compactMap { $0.scores[score] }
            guard values.count == group.count else { continue }
            let referee = group.map(\.referee)
            let mean = referee.reduce(0, +) / Double(referee.count)
            let best = WithinPromptAUC.top(values, referee: referee)
            chosen.add(prompt, best)
            gain.add(prompt, best.map { $0 - mean })
            guard Self.areToldApart(group) else { continue }
            if isBinary { auc.add(prompt, WithinPromptAUC.value(values, accepted: referee.map { $0 == 1 })) }
            spearman.add(prompt, RankCorrelation.spearman(values, referee))
            kendall.add(prompt, RankCorrelation.kendall(values, referee))
            top.add(prompt, best)
            chance.add(prompt, mean)
        }
        guard !chance.isEmpty else { return nil }
        return Agreement(
            score: score, category: category, auc: auc.mean(bootstrap), spearman: spearman.mean(bootstrap),
            kendall: kendall.mean(bootstrap), top: top.mean(bootstrap), chance: chance.mean(bootstrap),
            chosen: chosen.mean(bootstrap), gain: gain.mean(bootstrap))
    }
}

/// Values by prompt, several of one averaged.
struct ByPrompt {
    private var sums: [String: (sum: Double, count: Int)] = [:]

    var isEmpty: Bool { sums.isEmpty }

    mutating func add(_ prompt: String, _ value: Double?) {
        guard let value else { return }
        let known = sums[prompt] ?? (0, 0)
        sums[prompt] = (known.sum + value, known.count + 1)
    }

    /// By prompt.
    var means: [String: Double] { sums.mapValues { $0.sum / Double($0.count) } }

    /// Over prompts, which are what is resampled.
    func mean(_ bootstrap: Bootstrap) -> MeanInterval? {
        bootstrap.mean(of: means.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value))
    }
}
