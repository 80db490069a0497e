import ArgumentParser
import Foundation
import Tuning
import Workflows

/// What is minimized, and what that loss asks for.
struct LossOptions: ParsableArguments {
    @Option(help: "What is minimized (default: denoise, or weighted with --weight-by).")
    var loss: LossKind?
    @Option(
        help: ArgumentHelp(
            "weighted: multiply each sample's loss by its score, of a scorer of attune annotations, or mi, mc.",
            valueName: "score"))
    var weightBy: String?
    @Option(
        help: ArgumentHelp("dpo: pair better with worse images of a prompt by this score.", valueName: "score"))
    var pairsBy: String?
    @Option(
        help: ArgumentHelp("dpo: the least difference of the scores of a pair (default: 0).", valueName: "difference"))
    var margin: Double?
    @Option(help: ArgumentHelp("nft: the score that rewards come from.", valueName: "score"))
    var rewardBy: String?
    @Option(help: "nft: rewards by comparison within a prompt, or scores in 0…1 as they are (default: prompt).")
    var rewards: RewardNormalization?
    @Option(
        help: ArgumentHelp(
            "dpo: strength of the pull to the model without the adapter (default: 5000); nft: how far the implicit policies lie from the old one (default: 1).",
            valueName: "b"))
    var beta: Double?
    @Option(
        help: ArgumentHelp(
            "nft: let the old policy follow the trained one as a moving average, whose decay rises to this; 0.5 in the paper (default: it stays the one that the run begins with).",
            valueName: "decay"))
    var policyDecay: Double?
    @Option(
        help: ArgumentHelp("nft: what that decay grows by in a step (default: 0.001).", valueName: "step"))
    var policyRise: Double?
    @Option(
        help: ArgumentHelp("nft: steps before that decay grows from zero (default: 0).", valueName: "steps"))
    var policyFlat: Int?
    @Option(
        help: ArgumentHelp("nft: steps between updates of the old policy (default: 1).", valueName: "steps"))
    var policyEvery: Int?
    @Option(
        help: ArgumentHelp(
            "contrast: near-miss prompts by rules, or JSON lines {\"prompt\": …, \"negatives\": […]}.",
            valueName: "rules|file"),
        completion: .file(extensions: ["jsonl"]))
    var negatives: NearMissArgument?
    @Option(
        help: ArgumentHelp("contrast: near-miss prompts that an image is shown in a step (default: 1).", valueName: "n")
    )
    var negativesPerImage: Int?
    @Option(
        help: ArgumentHelp(
            "contrast: the error under a near miss counts up to this many times that under the prompt (default: 1).",
            valueName: "factor"))
    var clamp: Double?
    @Option(help: ArgumentHelp("Train these timesteps only, both included, such as 200-999.", valueName: "a-b"))
    var timesteps: TimestepRange?
    @Option(
        name: .customLong("min-snr"),
        help: ArgumentHelp("Weigh timesteps by min-SNR with this gamma, such as 5.", valueName: "gamma"))
    var minSNR: Double?
    @Option(help: ArgumentHelp("Show this share of samples the empty prompt, such as 0.1.", valueName: "share"))
    var dropCaptions: Double?

    /// The score that the loss asks for.
    var score: String? { weightBy ?? pairsBy ?? rewardBy }

    /// - Throws: for an option of another loss.
    func apply(to settings: inout TrainingConfiguration) throws {
        let kind = loss ?? (weightBy == nil ? LossKind.denoise : .weighted)
        try refuseOptions(ofOthersThan: kind)
        var chosen = LossSettings(kind)
        if let clamp { chosen.clamp = clamp }
        if let negativesPerImage { chosen.negatives = negativesPerImage }
        if let beta { chosen.beta = beta }
        if let margin { chosen.margin = margin }
        if let rewards { chosen.rewards = rewards }
        chosen.policy = try policy()
        settings.loss = chosen
        settings.timesteps = timesteps
        settings.minSNR = minSNR
        settings.dropCaptions = dropCaptions == 0 ? nil : dropCaptions
    }

    private func refuseOptions(ofOthersThan kind: LossKind) throws {
        let options: [(name: String, isGiven: Bool, losses: [LossKind])] = [
            ("--weight-by", weightBy != nil, [.weighted]), ("--pairs-by", pairsBy != nil, [.dpo]),
            ("--margin", margin != nil, [.dpo]), ("--reward-by", rewardBy != nil, [.nft]),
            ("--rewards", rewards != nil, [.nft]), ("--beta", beta != nil, [.dpo, .nft]),
            ("--policy-decay", policyDecay != nil, [.nft]), ("--policy-rise", policyRise != nil, [.nft]),
            ("--policy-flat", policyFlat != nil, [.nft]), ("--policy-every", policyEvery != nil, [.nft]),
            ("--negatives", negatives != nil, [.contrast]),
            ("--negatives-per-image", negativesPerImage != nil, [.contrast]), ("--clamp", clamp != nil, [.contrast]),
        ]
        for (name, isGiven, losses) in options where isGiven && !losses.contains(kind) {
            throw ValidationError(
                "\(name) belongs to --loss \(losses.map(\.rawValue).joined(separator: " or ")), and this is --loss "
                    + "\(kind.rawValue); leave it out, or choose that loss")
        }
    }

    private func policy() throws -> OldPolicy.Schedule? {
        guard let policyDecay else {
            guard policyRise == nil, policyFlat == nil, policyEvery == nil else {
                throw ValidationError("--policy-rise, --policy-flat and --policy-every go with --policy-decay")
            }
            return nil
        }
        var schedule = OldPolicy.Schedule(most: policyDecay)
        if let policyRise { schedule.rise = policyRise }
        if let policyFlat { schedule.flat = policyFlat }
        if let policyEvery { schedule.every = policyEvery }
        return schedule
    }

    /// Near misses by rules that a prompt is trained against in turn.
    private static let rulesCount = 8

    /// Where near-miss prompts come from, for the loss that asks for them.
    func negativePrompts() throws -> NegativePrompts? {
        switch negatives?.source {
        case nil: nil
        case .rules(let seed): NegativePrompts.rules(seed: seed, count: Self.rulesCount)
        case .file(let url): try NegativePrompts(file: url)
        case .corpus: throw ValidationError("--negatives corpus belongs to score; train takes rules or a file")
        }
    }
}

extension LossKind: ExpressibleByArgument {}
extension RewardNormalization: ExpressibleByArgument {}

extension TimestepRange: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
