import CorpusStore

/// What an epoch reads, and what the loss must know of all its samples before it uses any of them.
struct EpochPlan: Sendable {
    /// The samples that the epoch passes over.
    let ids: [Digest]
    /// dpo: who is better than whom.
    private let pairs: PreferencePairs?
    /// nft: each sample's reward.
    private let rewards: [Digest: Float]?

    /// - Parameters:
    ///   - ids: the selection.
    ///   - loss: what is minimized.
    ///   - negatives: where near-miss prompts come from.
    ///   - source: knows prompts and scores.
    ///   - note: told of what the user should know.
    /// - Throws: where the loss has nothing to learn from these samples.
    init(
        _ ids: [Digest], loss: LossSettings, negatives: NegativePrompts?, source: any TrainingSource,
        note: (String) -> Void
    ) throws(TrainingSourceError) {
        var (pairs, rewards): (PreferencePairs?, [Digest: Float]?) = (nil, nil)
        let name = source.scoreName ?? "score"
        switch loss.kind {
        case .denoise, .weighted: self.ids = ids
        case .contrast:
            self.ids = ids
            try Self.checkNegatives(try source.describe(ids).map(\.prompt), negatives, note: note)
        case .dpo:
            let found = try PreferencePairs(try source.describe(ids), margin: loss.margin ?? 0, of: name)
            self.ids = found.winners
            pairs = found
        case .nft:
            self.ids = ids
            rewards = try (loss.rewards ?? .prompt).rewards(try source.describe(ids), of: name)
        }
        (self.pairs, self.rewards) = (pairs, rewards)
    }

    private static func checkNegatives(
        _ prompts: [String], _ negatives: NegativePrompts?, note: (String) -> Void
    ) throws(TrainingSourceError) {
        let distinct = Set(prompts.map { ExactText($0) })
        let bare = distinct.filter { negatives?($0.text).isEmpty ?? true }
        guard let example = bare.map(\.text).min() else { return }
        guard bare.count < distinct.count else {
            throw TrainingSourceError(
                "none of the selection's \(distinct.count) prompts has a near miss; name some in --negatives, or train with "
                    + "--loss denoise")
        }
        note(
            "\(bare.count) of \(distinct.count) prompts have no near miss and train by the plain loss alone, such as "
                + "'\(example)'")
    }

    /// The worse image that an entry's sample is compared with; nil for losses without pairs.
    func loser(to entry: StreamEntry, draws: SampleDraws) -> Digest? {
        pairs?.loser(to: entry.id) { draws.partner(entry.index, of: $0) }
    }

    func reward(of id: Digest) -> Float? { rewards?[id] }
}
