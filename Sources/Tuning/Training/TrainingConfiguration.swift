package import CorpusStore
import Foundation

/// Everything that a user chooses about a run; defaults are the paper's.
package struct TrainingConfiguration: Codable, Sendable, Hashable {
    package var kind: AdapterKind = .dora
    package var rank = 32
    package var alpha = 32.0
    package var targets = AdapterTargets.attentionAndFeedForward
    /// Total optimizer steps.
    package var steps = 300
    /// The batch size: samples that go through the UNet together.
    package var batch = 8
    /// Gradient accumulation steps: batches whose gradients are averaged into one step.
    package var accumulate = 50
    package var optimizer = AdamW.Settings()
    /// Largest global gradient norm.
    package var clip = 1.0
    package var seed: UInt64 = 42
    /// Resolve the selection's policy again at every epoch.
    package var follow = false
    /// Recompute activations in the backward pass instead of keeping them.
    package var gradientCheckpointing = false
    /// Steps between checkpoints.
    package var checkpointEvery = 10
    /// Checkpoints to keep; nil keeps all.
    package var keepCheckpoints: Int?
    /// Samples of the selection whose loss is measured at the start and at each checkpoint, always with the same noise:
    /// a curve that shows whether the run learns. 0 for none.
    package var evaluationSamples = 0
    /// What is minimized, with its parameters; nil in logs of versions that had denoise and weighted alone.
    package var loss: LossSettings?
    /// The timesteps that are trained; nil for all.
    package var timesteps: TimestepRange?
    /// How the learning rate goes; nil for the same at every step.
    package var schedule: LearningRateSchedule?
    /// γ of min-SNR weights; nil for none.
    package var minSNR: Double?
    /// The share of samples that are shown the empty prompt; nil for none.
    package var dropCaptions: Double?
    /// Decay of the moving average of the weights that the run gives; nil for the weights of the last step.
    package var averageDecay: Double?
    /// Steps between measurements on fixed samples and images of the validation prompts; nil for those of checkpoints.
    package var validateEvery: Int?
    /// Digest of the adapter that training begins with; nil for a fresh one.
    package var warmStart: String?
    /// Fields of the model's files that are left out, where that counts; nil for none.
    package var ignoredFields: [String]?
    /// What products with frozen weights are computed in, as "bfloat16"; nil for float32. Adapters are in float32.
    package var precision: String?

    package init() {}

    /// Whether nothing is asked for that versions up to 0.2 did not have, so that these can resume the run too.
    var isOfFirstLayout: Bool {
        let isOldLoss = loss.map { $0.kind == .denoise || $0.kind == .weighted } ?? true
        return isOldLoss && timesteps == nil && schedule == nil && minSNR == nil && dropCaptions == nil
            && averageDecay == nil && targets != .all
    }

    /// Samples a step takes from the stream.
    package var samplesPerStep: Int { batch * accumulate }

    /// Samples of one step at most: their places in the stream are held in memory.
    private static let largestStep = 10_000_000

    /// The first thing that makes these settings unusable, or nil.
    package var problem: String? {
        let counts: [(name: String, value: Int, bounds: ClosedRange<Int>)] = [
            ("rank", rank, 1...8192), ("steps", steps, 1...1_000_000_000), ("batch", batch, 1...65_536),
            ("accumulate", accumulate, 1...1_000_000), ("checkpoint-every", checkpointEvery, 1...1_000_000_000),
            ("keep-checkpoints", keepCheckpoints ?? 1, 1...1_000_000_000),
            ("evaluate", evaluationSamples, 0...1_000_000), ("warmup", schedule?.warmup ?? 0, 0...1_000_000_000),
            ("validate-every", validateEvery ?? 1, 1...1_000_000_000),
        ]
        for (name, value, bounds) in counts where !bounds.contains(value) {
            return value < bounds.lowerBound
                ? "\(name) is \(value); it must be at least \(bounds.lowerBound)"
                : "\(name) is \(value); it must be at most \(bounds.upperBound)"
        }
        if samplesPerStep > Self.largestStep {
            return "batch × accumulate is \(samplesPerStep) samples per step; it must be at most \(Self.largestStep)"
        }
        let scales = [
            ("alpha", alpha, 1e9), ("the learning rate", optimizer.learningRate, 1000), ("clip", clip, Double.infinity),
        ]
        for (name, value, limit) in scales {
            if !(value > 0) { return "\(name) is \(value); it must be above 0" }
            if value > limit { return "\(name) is \(value); it must be at most \(limit)" }
        }
        return loss?.problem ?? refinementProblem
    }

    private var refinementProblem: String? {
        if let minSNR, !(minSNR > 0 && minSNR <= 1e6) { return "min-snr is \(minSNR); it must be above 0, 5 is usual" }
        if let rate = dropCaptions, !(rate >= 0 && rate < 1) {
            return "drop-captions is \(rate); it must be a share from 0 to below 1, 0.1 is usual"
        }
        if let decay = averageDecay, !(decay > 0 && decay < 1) {
            return "ema is \(decay); it must be above 0 and below 1, 0.999 is usual"
        }
        if let kind = loss?.kind, minSNR != nil, kind == .dpo || kind == .nft {
            return "min-snr weighs the denoising error, which --loss \(kind.rawValue) does not minimize; leave it out"
        }
        if targets == .all, warmStart != nil {
            return
                "warm-start continues an adapter, and --targets all trains none; give the model to continue from with --model"
        }
        return nil
    }
}

/// What a run is bound to: a resumed run must match it, or its adapter would be another one.
package struct RunIdentity: Codable, Sendable, Hashable {
    package let model: String
    package let selection: String
    /// Digest of the selection that the run started with.
    package let selectionDigest: Digest
    package let configuration: TrainingConfiguration
    /// The scorer that the loss asks and the digest of its values; nil where it asks none.
    package let weights: String?
    /// What it began on. Not a field that must match: a run may be told to continue elsewhere.
    package let computer: RunComputer?

    package init(
        model: String, selection: String, selectionDigest: Digest, configuration: TrainingConfiguration,
        weights: String? = nil, computer: RunComputer? = nil
    ) {
        self.computer = computer
        self.weights = weights
        self.model = model
        self.selection = selection
        self.selectionDigest = selectionDigest
        self.configuration = configuration
    }

    /// SHA-256 of what determines the run's results.
    package var digest: String {
        let text = fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        return Digest(of: Data(text.utf8)).hex
    }

    /// The fields in which `other` would compute something else, with both values.
    package func differences(from other: RunIdentity) -> [Difference] {
        let (mine, theirs) = (fields, other.fields)
        return Set(mine.keys).union(theirs.keys).sorted().compactMap { name in
            mine[name] == theirs[name]
                ? nil : Difference(field: name, here: mine[name] ?? "none", there: theirs[name] ?? "none")
        }
    }

    package struct Difference: Sendable, Hashable {
        package let field: String
        package let here: String
        package let there: String
    }

    private var scoreOption: String {
        switch configuration.loss?.kind {
        case .dpo: "pairs-by"
        case .nft: "reward-by"
        default: "weight-by"
        }
    }

    /// The determining fields by the name of their option. Steps and checkpoints are not among them:
    /// they change nothing about what is computed up to any step.
    private var fields: [String: String] {
        let c = configuration
        var fields = [
            "model": model, "selection": selection,
            "kind": c.kind.rawValue, "rank": "\(c.rank)", "alpha": "\(c.alpha)", "targets": c.targets.rawValue,
            "batch": "\(c.batch)", "accumulate": "\(c.accumulate)", "seed": "\(c.seed)", "follow": "\(c.follow)",
            "clip": "\(c.clip)", "lr": "\(c.optimizer.learningRate)", "beta1": "\(c.optimizer.beta1)",
            "beta2": "\(c.optimizer.beta2)", "epsilon": "\(c.optimizer.epsilon)",
            "weight-decay": "\(c.optimizer.weightDecay)",
            // Gradients are the same but for the order of sums, which shows in the last bits.
            "gradient-checkpointing": "\(c.gradientCheckpointing)",
        ]
        // A followed selection grows while the run is in progress, by design.
        if !c.follow { fields["selection digest"] = selectionDigest.hex }
        // Of a selection that grows, the scores grow too; only their scorer is fixed.
        if let weights { fields[scoreOption] = c.follow ? String(weights.prefix { $0 != " " }) : weights }
        fields.merge((c.loss ?? LossSettings(weights == nil ? .denoise : .weighted)).fields) { $1 }
        fields["timesteps"] = c.timesteps?.description
        fields["lr-schedule"] = c.schedule.map { "\($0.shape.rawValue), warmup \($0.warmup)" }
        // Where the rate falls to zero at the end, the end matters.
        if c.schedule?.needsTotal ?? false { fields["steps"] = "\(c.steps)" }
        fields["min-snr"] = c.minSNR.map { "\($0)" }
        fields["drop-captions"] = c.dropCaptions.map { "\($0)" }
        fields["ema"] = c.averageDecay.map { "\($0)" }
        if c.targets == .all { for name in ["kind", "rank", "alpha"] { fields[name] = nil } }
        if let warmStart = c.warmStart { fields["warm-start"] = warmStart }
        if let precision = c.precision { fields["precision"] = precision }
        if let ignored = c.ignoredFields { fields["ignore-config"] = ignored.joined(separator: ", ") }
        return fields
    }
}
