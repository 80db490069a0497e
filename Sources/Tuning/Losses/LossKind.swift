package import Diffusion

/// What a run minimizes.
package enum LossKind: String, Codable, Sendable, CaseIterable {
    /// The mean squared error of the prediction, the diffusion loss.
    case denoise
    /// The same with each sample's error times its score: GORS (arXiv 2307.06350).
    case weighted
    /// Near-miss prompts as negatives: HN-ITM (arXiv 2305.16397).
    case contrast
    /// Pairs of a better and a worse image of one prompt: Diffusion-DPO (arXiv 2311.12908).
    case dpo
    /// Every image with a reward in 0…1, by implicit positive and negative policies: DiffusionNFT (arXiv 2509.16117).
    case nft
}

/// A loss and its parameters. Those of other losses are nil.
package struct LossSettings: Codable, Sendable, Hashable {
    package var kind: LossKind
    /// contrast: the error under a near-miss prompt counts up to so many times that under the prompt.
    package var clamp: Double?
    /// contrast: near-miss prompts that each image is shown in a step.
    package var negatives: Int?
    /// contrast: digest of where the near-miss prompts come from.
    package var negativesDigest: String?
    /// dpo: strength of the pull to the reference. nft: how far the implicit policies lie from the old one.
    package var beta: Double?
    /// dpo: the least difference of the two scores of a pair.
    package var margin: Double?
    /// nft: how scores become rewards.
    package var rewards: RewardNormalization?
    /// nft: how the old policy follows the trained one; nil where it stays the one that the run begins with.
    package var policy: OldPolicy.Schedule?

    /// The loss with its paper's parameters.
    package init(_ kind: LossKind) {
        self.kind = kind
        switch kind {
        case .denoise, .weighted: break
        case .contrast: (clamp, negatives) = (1, 1)
        case .dpo: (beta, margin) = (5000, 0)
        case .nft: (beta, rewards) = (1, .prompt)
        }
    }

    /// The first thing that makes the settings unusable, or nil.
    var problem: String? {
        let numbers: [(name: String, value: Double?, least: Double, most: Double)] = [
            ("clamp", clamp, 0, 1e6), ("beta", beta, 1e-6, 1e9), ("margin", margin, 0, .greatestFiniteMagnitude),
        ]
        for (name, value, least, most) in numbers {
            guard let value else { continue }
            if !(value >= least) { return "\(name) is \(value); it must be at least \(least)" }
            if value > most { return "\(name) is \(value); it must be at most \(most)" }
        }
        if let negatives, !(1...64).contains(negatives) {
            return "the number of near-miss prompts an image is \(negatives); it must be from 1 to 64"
        }
        return policy?.problem
    }

    /// What must be the same when a run resumes, by the name of its option.
    var fields: [String: String] {
        var fields = ["loss": kind.rawValue]
        fields["clamp"] = clamp.map { "\($0)" }
        fields["negatives-per-image"] = negatives.map { "\($0)" }
        fields["negatives"] = negativesDigest
        fields["beta"] = beta.map { "\($0)" }
        fields["margin"] = margin.map { "\($0)" }
        fields["rewards"] = rewards?.rawValue
        fields["policy-decay"] = policy?.description
        return fields
    }
}

extension TrainingConfiguration {
    /// The loss of these settings.
    ///
    /// - Parameter scheduler: the schedule that the model was trained with, and what its output means.
    package func objective(_ scheduler: SchedulerConfiguration) -> any TrainingObjective {
        let settings = loss ?? LossSettings(.denoise)
        let process = NoisingProcess(scheduler, minSNR: minSNR)
        return switch settings.kind {
        case .denoise, .weighted: DenoisingObjective(process)
        case .contrast: ContrastObjective(process, clamp: settings.clamp ?? 1)
        case .dpo: PreferenceObjective(process, beta: settings.beta ?? 5000)
        case .nft: NegativeAwareObjective(process, beta: settings.beta ?? 1)
        }
    }
}
