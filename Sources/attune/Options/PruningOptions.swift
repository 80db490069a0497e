import ArgumentParser
import Workflows

/// Whether candidates are given up before they are finished.
struct PruningOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Finish only the best n candidates of each prompt, by a score taken after --after of the steps: the images are those that they would have been.",
            valueName: "n"))
    var keepBest: Int?

    @Option(
        help: ArgumentHelp(
            "The share of the steps after which --keep-best chooses, as 0.3 or 30% (default: 30%).",
            valueName: "fraction"))
    var after: Fraction?

    @Option(
        help: ArgumentHelp(
            "What --keep-best chooses by: mi (MI along the steps so far, at no cost), or contrast (contrastive MI of the clean image predicted there; default with --negatives), less a part of the log of the error under the prompt with contrast:error=0.3.",
            valueName: "mi|contrast|contrast:error=w"))
    var pruneBy: PruningSettings.Score?

    @Option(
        help: ArgumentHelp(
            "Near misses for --prune-by contrast: by rules (default), of the corpus, or from a file.",
            valueName: "rules|corpus|file"))
    var negatives: NearMissArgument?

    @Option(help: ArgumentHelp("Near misses of each prompt, at most (default: 6).", valueName: "n"))
    var nearMisses: Int?

    func validate() throws {
        guard let keepBest else {
            for (isGiven, option) in [
                (after != nil, "--after"), (pruneBy != nil, "--prune-by"), (negatives != nil, "--negatives"),
                (nearMisses != nil, "--near-misses"),
            ] where isGiven { throw ValidationError("\(option) goes with --keep-best") }
            return
        }
        try requirePositive(keepBest, "--keep-best", Bounds.imagesPerPrompt)
        if pruneBy == .mi, negatives != nil || nearMisses != nil {
            throw ValidationError("--prune-by mi compares with no near misses; leave --negatives and --near-misses out")
        }
        if let nearMisses { try requirePositive(nearMisses, "--near-misses", Bounds.nearMisses) }
    }

    /// For a workflow; nil to finish all candidates.
    var settings: PruningSettings? {
        guard let keepBest else { return nil }
        var settings = PruningSettings(keep: keepBest, after: after?.value ?? 0.3)
        settings.score = pruneBy ?? (negatives == nil && nearMisses == nil ? .mi : .contrast())
        if let negatives { settings.negatives = negatives.source }
        if let nearMisses { settings.negativeCount = nearMisses }
        return settings
    }
}

extension PruningSettings.Score: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

extension ContrastRanking: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
