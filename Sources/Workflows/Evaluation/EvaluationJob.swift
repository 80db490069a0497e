package import CorpusStore
package import Diffusion
package import Foundation
import Statistics
import Tensors
import Tuning

/// What `attune evaluate --prompts` does: images of a model, alone and with each of some adapters, of the same prompts and
/// seeds at several scales of guidance, and what scores say of them.
///
/// The images are samples of the corpus; what is already present is not made again.
package struct EvaluationJob: Sendable {
    package struct Adapter: Sendable, Equatable {
        package let label: String
        package let file: URL

        package init(label: String, file: URL) { (self.label, self.file) = (label, file) }

        /// `LABEL=FILE`, or a file that is called after its run, its folder or itself.
        package init(_ text: String) {
            if let equal = text.firstIndex(of: "="), !text[..<equal].contains("/"), equal != text.startIndex {
                self.init(
                    label: String(text[..<equal]), file: URL(fileURLWithPath: String(text[text.index(after: equal)...]))
                )
                return
            }
            let file = URL(fileURLWithPath: text)
            let parts = file.pathComponents
            let usual: Set<String> = ["pytorch_lora_weights.safetensors", "adapter_model.safetensors", "adapter"]
            let name: String =
                if let runs = parts.lastIndex(of: "runs"), runs + 1 < parts.count { parts[runs + 1] } else {
                    parts.last { !usual.contains($0) } ?? text
                }
            self.init(label: name.replacing(".safetensors", with: ""), file: file)
        }
    }

    package var model: ModelSource
    package let prompts: URL
    package var adapters: [Adapter] = []
    package var imagesPerPrompt = 6
    package var guidance: [Double] = [3]
    package var steps = 25
    package var sampler = SamplerKind.ddim
    /// Of each prompt's first image, or what is added to its own (``CandidateSeeds``).
    package var seed: UInt64 = 42
    /// Whether each prompt has seeds of its own.
    package var seeds = CandidateSeeds.own
    package var batch = 16
    /// Of the samples, for queries.
    package var tag = "evaluation"
    /// Nil for the shapes judge where all prompts are of its grammar, and for none elsewhere.
    package var referee: Referee?
    /// Scores beside those that all images have.
    package var scores: [ScoreForm] = []
    /// Near misses that all images are scored against, by the model without adapter; nil for none.
    package var negatives: NearMissSource?
    package var negativeCount = 6
    package var draws = 1
    var bootstrap = Bootstrap()
    /// Of the bootstrap.
    package var resamples: Int {
        get { bootstrap.resamples }
        set { bootstrap.resamples = newValue }
    }
    /// Of the stored report; nil for one that follows from the settings.
    package var name: String?
    /// An SQL condition for samples of real images, which quality is measured by; nil for none.
    package var reference: String?
    /// The batches of images that are worked on, of each model and guidance.
    package var part = Part.all
    /// Of the workers that share the job, where it is a part.
    package var array = ArrayCheck()

    package init(model: ModelSource, prompts: URL) { (self.model, self.prompts) = (model, prompts) }

    /// - Returns: the report and its name; nil where the work was stopped between batches, and for a part that has done its
    ///   share while others have not.
    /// - Throws: ``PromptFileError``; ``UsageError`` for settings that make no sense; ``Failure`` for a score without values;
    ///   ``ModelError``; ``CorpusError``. The images that were made stay.
    package func run(
        in corpus: Corpus, monitor: some WorkMonitor
    ) throws -> (report: EvaluationReport?, name: String, outcome: WorkOutcome) {
        let labels = ["base"] + adapters.map(\.label)
        if let twice = Dictionary(grouping: labels, by: { $0 }).first(where: { $0.value.count > 1 })?.key {
            throw UsageError("two models are called \(twice): give an adapter another name, as --adapter NAME=FILE")
        }
        guard !guidance.isEmpty, Set(guidance).count == guidance.count else {
            throw UsageError("--guidance: gives a scale twice, or none")
        }
        let data = try readPrompts()
        let texts = try PromptFile.parse(data, path: prompts.path)
        guard !texts.isEmpty else { throw PromptFileError.empty(path: prompts.path) }
        let categories = PromptCategories(file: data, prompts: texts)
        try check(texts, in: corpus, warn: monitor.warn)
        let each = share(
            of: try Candidate.count(
                prompts: texts.count, imagesPerPrompt: imagesPerPrompt,
                limit: GenerationJob.limit / (labels.count * guidance.count)))
        let total = each * labels.count * guidance.count
        var outcome = WorkOutcome(total: total)
        monitor.begin(total: negatives == nil ? total : 2 * total)
        var made = try make(texts, each, corpus, monitor, &outcome)
        guard outcome.isFinished else { return (nil, name ?? "", outcome) }
        made.referee = referee ?? usualReferee(texts)
        if negatives != nil, try !score(made.images, total, corpus, monitor, &outcome) {
            return (nil, name ?? "", outcome)
        }
        if part.count > 1 { return try combined(made, outcome, in: corpus, monitor) }
        var report: EvaluationReport
        do {
            report = try EvaluationFigures(made, scores: scores, categories: categories, bootstrap).report(
                settings(texts, made), in: corpus, monitor: monitor)
            try measureQuality(made.images, corpus, monitor, &report)
        } catch is Interrupted {
            outcome.isFinished = false
            return (nil, name ?? "", outcome)
        }
        let stored = try name ?? "evaluation-\(Digest(of: Data(jsonText(report.settings).utf8)).hex.prefix(12))"
        try StoredEvaluations.store(report, as: stored, in: corpus)
        return (report, stored, outcome)
    }

    private func readPrompts() throws -> Data {
        do {
            // Pipes too: their size is not known before they are read.
            return try FileHandle(forReadingFrom: prompts).readToEnd() ?? Data()
        } catch { throw PromptFileError.unreadable(path: prompts.path) }
    }

    /// The images of all models.
    private func make(
        _ texts: [String], _ each: Int, _ corpus: Corpus, _ monitor: some WorkMonitor, _ outcome: inout WorkOutcome
    ) throws -> EvaluatedImages {
        var made = EvaluatedImages()
        let sources = [(label: "base", file: nil as URL?)] + adapters.map { ($0.label, $0.file as URL?) }
        for (label, file) in sources {
            var source = model
            source.adapter = file
            var maker: CandidateMaker?
            for scale in guidance {
                let settings = DenoisingSettings(steps: steps, guidance: scale, sampler: sampler)
                let ready = try maker?.guided(by: scale) ?? CandidateMaker(source, settings, warn: monitor.warn)
                if maker == nil { made.places += try joined(ready, label, texts, in: corpus, warn: monitor.warn) }
                maker = ready
                try ready.model.requireDescribableSchedule()
                made.modelDigest = ready.model.digest
                if let adapter = ready.adapter, scale == guidance[0] {
                    made.adapters.append(.init(label: label, digest: adapter))
                }
                let generator = CorpusGenerator(corpus: corpus, maker: ready, tag: tag)
                let all = Candidate.batches(
                    prompts: texts, imagesPerPrompt: imagesPerPrompt, seed: seed, seeds: seeds, size: batch)
                if self.part.count > 1 { made.recipes += all.joined().map { generator.recipe($0).digest } }
                let batches = all.enumerated().filter { self.part.has(place: $0.offset) }.map(\.element)
                let done = outcome.made + outcome.skipped + outcome.failed
                let part = try generator.run(batches, total: each, monitor: PartMonitor(whole: monitor, done: done))
                outcome.made += part.made
                outcome.skipped += part.skipped
                outcome.failed += part.failed
                outcome.isFinished = part.isFinished
                guard part.isFinished else { return made }
                let candidates = batches.flatMap { $0 }
                let recipes = candidates.map { generator.recipe($0).digest }
                let rows = try corpus.rows(recipes: recipes)
                for recipe in recipes {
                    if let row = rows[recipe] { made.images.append(.init(model: label, guidance: scale, row: row)) }
                }
            }
        }
        return made
    }

    /// Measures errors under near misses, by the model without adapter.
    ///
    /// - Returns: whether the work was not stopped.
    private func score(
        _ images: [EvaluatedImages.Image], _ done: Int, _ corpus: Corpus, _ monitor: some WorkMonitor,
        _ outcome: inout WorkOutcome
    ) throws -> Bool {
        let scored = try scoring.run(
            on: images.map(\.row), in: corpus, monitor: PartMonitor(whole: monitor, done: done))
        outcome.isFinished = scored.isFinished
        return scored.isFinished
    }

    /// How far each model's images are from real ones, at each guidance.
    private func measureQuality(
        _ images: [EvaluatedImages.Image], _ corpus: Corpus, _ monitor: some WorkMonitor,
        _ report: inout EvaluationReport
    ) throws {
        guard let reference else { return }
        let quality = try LatentQuality(reference: reference, in: corpus)
        var notes: Set<String> = []
        report.quality = []
        for model in ["base"] + adapters.map(\.label) {
            for scale in guidance {
                if monitor.isCancelled { throw Interrupted() }
                let rows = images.filter { $0.model == model && $0.guidance == scale }.map(\.row)
                guard rows.count > 1 else { continue }
                let found = try quality.measure(rows, called: "\(model) at guidance \(scale)")
                notes.formUnion(found.notes)
                report.quality?.append(
                    .init(
                        model: model, guidance: scale, metric: LatentQuality.metric, value: found.value,
                        low: found.interval?.low, high: found.interval?.high, images: rows.count,
                        referenceImages: found.reference))
            }
        }
        report.notes += notes.sorted()
    }

    func settings(_ texts: [String], _ made: EvaluatedImages) -> EvaluationReport.Settings {
        let near: String? =
            switch negatives {
            case nil: nil
            case .rules(let seed)?: "rules:\(seed), \(negativeCount)"
            case .corpus?: "corpus, \(negativeCount)"
            case .file(let url)?: "\(url.lastPathComponent), \(negativeCount)"
            }
        return EvaluationReport.Settings(
            model: made.modelDigest, adapters: made.adapters, prompts: texts, imagesPerPrompt: imagesPerPrompt,
            guidance: guidance, steps: steps, sampler: sampler.rawValue, seed: String(seed),
            referee: made.referee?.name,
            negatives: near, resamples: bootstrap.resamples,
            precision: model.precision == .float32 ? nil : model.precision.rawValue, reference: reference,
            seeds: seeds == .shared ? nil : seeds.rawValue)
    }
}

/// The images of an evaluation, by model and guidance.
struct EvaluatedImages {
    struct Image {
        let model: String
        let guidance: Double
        let row: CatalogueRow
    }

    var images: [Image] = []
    var modelDigest = ""
    var adapters: [EvaluationReport.Adapter] = []
    var referee: Referee?
    /// Of the images of all parts, where the work is one of several.
    var recipes: [Digest] = []
    var places: [ArrayMembership] = []
}

/// Watches one part of a work as part of the whole.
struct PartMonitor<Whole: WorkMonitor>: WorkMonitor {
    let whole: Whole
    /// What was done before this part.
    let done: Int

    func begin(total: Int) {}
    func update(_ done: Int) { whole.update(self.done + done) }
    var isCancelled: Bool { whole.isCancelled }
    func warn(_ line: String) { whole.warn(line) }
}
