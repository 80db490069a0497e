import CorpusStore
import Diffusion
import DiskAccess
package import Foundation
import Tuning

/// What `attune align` is to do: a JSON file as schemas/align.schema.json has it. Its keys are the options of the commands
/// whose work the rounds are.
package struct AlignmentConfiguration: Sendable {
    /// What it takes to have the score.
    enum Measure: Equatable {
        /// Columns that are there already: `mi` of candidates with guidance, and annotations.
        case present
        /// `mc`, and the forms that compare with near misses.
        case errors
        case referee
    }

    /// Of the record, and the beginning of the names of tags, selections, runs and evaluations.
    package var name: String
    package var rounds: Int
    var model: ModelSource
    var prompts: URL
    var denoising: DenoisingSettings
    var imagesPerPrompt, batch: Int
    var seed: UInt64
    /// Names a column, an annotation or `shapes`, or a form with settings (``ScoreForm``).
    var score: String
    var scoring: ScoringJob
    /// Candidates of each prompt that are kept; nil for all.
    var top: Int?
    /// Keeps the order of ids, which is as good as drawn by lot.
    var selectsAtRandom: Bool
    var training: TrainingConfiguration
    /// The score that the loss asks for.
    var trainingScore: String?
    var trainingNegatives: NegativePrompts?
    var evaluation: EvaluationJob
    /// What rounds that are made depend on, by key; all but the number of rounds.
    private(set) var fields: [String: String]

    /// The name that a round's tag, selection, run and evaluation have.
    package func name(of round: Int) -> String { "\(name)-r\(round)" }

    var measure: Measure {
        switch score.split(separator: ":")[0] {
        case "contrast", "contrast_hard", "pointwise", "mc", "mc_reference": .errors
        case "shapes": .referee
        default: .present
        }
    }

    /// SHA-256 of ``fields``.
    var digest: String {
        Digest(of: Data(fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined().utf8)).hex
    }

    /// - Parameter url: the file. Paths in it are relative to its folder.
    /// - Throws: ``UsageError`` naming the key that is unknown, missing or out of bounds; ``DiskError``;
    ///   ``NegativePromptsError``.
    package init(_ url: URL) throws {
        let file = url.relativePath
        let data = try Disk.read(url.path)
        guard let values = try? JSONDecoder().decode([String: JSONValue].self, from: data) else {
            throw UsageError("\(file): is not a JSON object; docs/alignment.md shows one")
        }
        var top = ConfigurationFields(file: file, values)
        func place(_ path: String) -> URL {
            URL(fileURLWithPath: path, relativeTo: url.absoluteURL.deletingLastPathComponent()).absoluteURL
        }
        let name = try top.text("name") ?? url.deletingPathExtension().lastPathComponent
        if let problem = RunFolder.problem(withName: name) { throw top.error("name", "cannot be used: \(problem)") }
        if name.utf8.count > 90 { throw top.error("name", "is longer than 90 bytes; take a shorter one") }
        self.name = name
        rounds = try top.count("rounds", 1...1000) ?? 1
        model = ModelSource(folder: place(try top.required("model")))
        model.variant = try top.text("variant")
        prompts = place(try top.required("prompts"))

        var candidates = try top.object("candidates")
        imagesPerPrompt = try candidates.count("images_per_prompt", 1...1_000_000) ?? 16
        denoising = DenoisingSettings(
            steps: try candidates.count("steps", 1...1_000_000) ?? 25,
            guidance: try candidates.number("guidance", 0...1e4) ?? 3,
            sampler: try candidates.choice("sampler") ?? .ddim)
        seed = try candidates.seed("seed") ?? 42
        batch = try candidates.count("batch", 1...1024) ?? 16
        try candidates.requireEmpty()

        var score = try top.object("score")
        let (form, referee) = (try score.text("form"), try score.text("referee"))
        if form != nil, referee != nil { throw score.error("referee", "and form exclude each other; give one of them") }
        self.score = referee ?? form ?? "mi"
        _ = try ScoreForm(self.score)
        scoring = ScoringJob(model: model)
        scoring.draws = try score.count("draws", 1...10_000) ?? 1
        scoring.steps = try score.count("steps", 1...1_000_000) ?? 20
        scoring.negativeCount = try score.count("count", 1...64) ?? 6
        scoring.negatives = try score.text("negatives").map { NearMissSource($0, place) } ?? .rules(seed: 0)
        scoring.timesteps = try Self.timesteps(&score)?.range
        if scoring.timesteps != nil, self.score.hasPrefix("mc") {
            throw score.error("timesteps", "is for near misses: \(self.score) is estimated from the whole schedule")
        }
        try score.requireEmpty()

        var select = try top.object("select")
        selectsAtRandom =
            try select.text("by").map { by throws(UsageError) in
                guard by == "random" else {
                    throw select.error("by", "is '\(by)'; it can be random, and is the score else")
                }
                return true
            } ?? false
        let all = JSONValue.text("all")
        self.top = 1
        if case .object(let given)? = values["select"], given["top"] == all {
            _ = select.take("top")
            self.top = nil
        } else if let count = try select.count("top", 1...1_000_000) {
            self.top = count
        }
        try select.requireEmpty()

        var settings = TrainingConfiguration()
        var train = try top.object("train")
        settings.kind = try train.choice("adapter_kind") ?? settings.kind
        settings.rank = try train.count("rank", 1...8192) ?? settings.rank
        settings.alpha = try train.number("alpha") ?? settings.alpha
        settings.targets = try train.choice("targets") ?? settings.targets
        guard settings.targets != .all else {
            throw train.error("targets", "is all; rounds continue from adapters, so take attention, ff or attention+ff")
        }
        settings.steps = try train.count("steps", 1...1_000_000_000) ?? settings.steps
        settings.batch = try train.count("batch", 1...65_536) ?? settings.batch
        settings.accumulate = try train.count("accumulate", 1...1_000_000) ?? 1
        settings.optimizer.learningRate = try train.number("lr") ?? settings.optimizer.learningRate
        let shape = try train.choice("lr_schedule", LearningRateSchedule.Shape.self) ?? .constant
        let warmup = try train.count("warmup", 0...1_000_000_000) ?? 0
        settings.schedule = shape == .constant && warmup == 0 ? nil : LearningRateSchedule(shape, warmup: warmup)
        settings.averageDecay = try train.number("ema")
        settings.minSNR = try train.number("min_snr")
        let drop = try train.number("drop_captions")
        settings.dropCaptions = drop == 0 ? nil : drop
        settings.timesteps = try Self.timesteps(&train)
        settings.seed = try train.seed("seed") ?? settings.seed
        settings.checkpointEvery = try train.count("checkpoint_every", 1...1_000_000_000) ?? settings.checkpointEvery
        settings.keepCheckpoints = try train.count("keep_checkpoints", 1...1_000_000_000) ?? 2
        var loss = LossSettings(try train.choice("loss") ?? .denoise)
        let compares = [LossKind.weighted, .dpo, .nft].contains(loss.kind)
        trainingScore = try train.text("score")
        if !compares, trainingScore != nil { throw train.error("score", "is for the losses weighted, dpo and nft") }
        if compares, trainingScore == nil { trainingScore = self.score }
        if let name = trainingScore, name.contains(":") {
            throw train.error("score", "is '\(name)', a form with settings; name a column or an annotation")
        }
        let parameters: [(String, WritableKeyPath<LossSettings, Double?>)] = [
            ("clamp", \.clamp), ("beta", \.beta), ("margin", \.margin),
        ]
        for (key, path) in parameters {
            guard let value = try train.number(key) else { continue }
            guard loss[keyPath: path] != nil else { throw train.error(key, "is not for loss \(loss.kind.rawValue)") }
            loss[keyPath: path] = value
        }
        if let rewards = try train.choice("rewards", RewardNormalization.self) {
            guard loss.kind == .nft else { throw train.error("rewards", "is for the loss nft") }
            loss.rewards = rewards
        }
        if let decay = try train.number("policy_decay") {
            guard loss.kind == .nft else { throw train.error("policy_decay", "is for the loss nft") }
            loss.policy = OldPolicy.Schedule(most: decay)
            if let rise = try train.number("policy_rise") { loss.policy?.rise = rise }
        }
        if let count = try train.count("negatives_per_image", 1...64) {
            guard loss.kind == .contrast else { throw train.error("negatives_per_image", "is for the loss contrast") }
            loss.negatives = count
        }
        let negatives = try train.text("negatives")
        if negatives != nil, loss.kind != .contrast { throw train.error("negatives", "is for the loss contrast") }
        if loss.kind == .contrast {
            trainingNegatives =
                switch NearMissSource(negatives ?? "rules", place) {
                case .rules(let seed): NegativePrompts.rules(seed: seed, count: 8)
                case .file(let url): try NegativePrompts(file: url)
                case .corpus: throw train.error("negatives", "is corpus, which belongs to score; take rules or a file")
                }
        }
        settings.loss = loss
        try train.requireEmpty()
        if let problem = settings.problem { throw UsageError("\(file): train: \(problem)") }
        training = settings

        var evaluate = try top.object("evaluate")
        evaluation = EvaluationJob(model: model, prompts: place(try evaluate.required("prompts")))
        evaluation.guidance = try evaluate.numbers("guidance") ?? [1.5, 3]
        guard evaluation.guidance.allSatisfy({ (0...1e4).contains($0) }) else {
            throw evaluate.error("guidance", "has a scale that is not from 0 to 10000")
        }
        evaluation.imagesPerPrompt = try evaluate.count("images_per_prompt", 1...1_000_000) ?? 3
        evaluation.steps = try evaluate.count("steps", 1...1_000_000) ?? 25
        evaluation.sampler = try evaluate.choice("sampler") ?? .ddim
        // Seeds that training has not seen.
        evaluation.seed = try evaluate.seed("seed") ?? 100_000
        evaluation.seeds = try evaluate.choice("seeds") ?? .own
        evaluation.batch = try evaluate.count("batch", 1...1024) ?? 16
        evaluation.referee = try evaluate.text("referee").map { Referee($0) }
        evaluation.resamples = try evaluate.count("resamples", 10...1_000_000) ?? 4000
        try evaluate.requireEmpty()
        try top.requireEmpty()
        fields = [:]
        fields = try identity()
    }

    private func identity() throws -> [String: String] {
        func digest(_ url: URL) throws -> String { Digest(of: try Disk.read(url.path)).hex }
        var fields = [
            "model": model.folder.standardizedFileURL.path, "variant": model.variant ?? "none",
            "prompts": try digest(prompts), "candidates.images_per_prompt": "\(imagesPerPrompt)",
            "candidates.steps": "\(denoising.steps)", "candidates.guidance": "\(denoising.guidance)",
            "candidates.sampler": denoising.sampler.rawValue, "candidates.seed": "\(seed)",
            "candidates.batch": "\(batch)", "score": score,
            "select.by": selectsAtRandom ? "random" : "score", "select.top": top.map { "\($0)" } ?? "all",
            "train.score": trainingScore ?? "none", "evaluate.prompts": try digest(evaluation.prompts),
            "evaluate.guidance": evaluation.guidance.map { "\($0)" }.joined(separator: ","),
            "evaluate.images_per_prompt": "\(evaluation.imagesPerPrompt)", "evaluate.steps": "\(evaluation.steps)",
            "evaluate.sampler": evaluation.sampler.rawValue, "evaluate.seed": "\(evaluation.seed)",
            "evaluate.batch": "\(evaluation.batch)",
            "evaluate.referee": evaluation.referee?.name ?? "by the prompts",
            "evaluate.resamples": "\(evaluation.resamples)", "train.negatives": trainingNegatives?.digest ?? "none",
            "train.steps": "\(training.steps)",
        ]
        // Records from before there was a choice have none.
        if evaluation.seeds != .shared { fields["evaluate.seeds"] = evaluation.seeds.rawValue }
        if measure == .errors {
            fields["score.draws"] = "\(scoring.draws)"
            fields["score.steps"] = "\(scoring.steps)"
            fields["score.count"] = "\(scoring.negativeCount)"
            fields["score.timesteps"] = scoring.timesteps.map { "\($0.lowerBound)-\($0.upperBound)" }
            fields["score.negatives"] =
                switch scoring.negatives {
                case .file(let url)?: try digest(url)
                case let source?: "\(source)"
                case nil: "none"
                }
        }
        let identity = Self.unbound(training)
        for difference in identity.differences(from: Self.nothing) where !difference.field.hasPrefix("selection") {
            fields["train.\(difference.field)"] = difference.here
        }
        return fields
    }

    /// A run that differs from every other in all fields that have names here.
    private static var nothing: RunIdentity {
        var settings = TrainingConfiguration()
        settings.seed = .max
        return unbound(settings)
    }

    private static func timesteps(_ fields: inout ConfigurationFields) throws(UsageError) -> TimestepRange? {
        guard let text = try fields.text("timesteps") else { return nil }
        guard let range = TimestepRange(text) else {
            throw fields.error("timesteps", "is '\(text)', no range as 200-999")
        }
        return range
    }

    /// Settings alone: no field of the selection's is compared.
    private static func unbound(_ training: TrainingConfiguration) -> RunIdentity {
        RunIdentity(model: "", selection: "", selectionDigest: Digest(of: Data()), configuration: training)
    }
}

extension NearMissSource {
    /// `rules`, `rules:SEED`, `corpus`, or a file.
    fileprivate init(_ text: String, _ place: (String) -> URL) {
        if text == "rules" {
            self = .rules(seed: 0)
        } else if text.hasPrefix("rules:"), let seed = Int(text.dropFirst(6)) {
            self = .rules(seed: seed)
        } else {
            self = text == "corpus" ? .corpus : .file(place(text))
        }
    }
}
