package import CorpusStore
import DiskAccess
import Foundation
package import Tuning
import Statistics

/// What `attune align` does: rounds of generate, score, select, train and evaluate. Each round's candidates are made with the
/// adapter of the round before, and its training continues from that adapter.
///
/// Each stage makes what is not there yet, and is recorded when it is done: a stop anywhere loses no more than the stage's
/// own command would.
package struct AlignmentJob: Sendable {
    private let configuration: AlignmentConfiguration

    package init(_ configuration: AlignmentConfiguration) { self.configuration = configuration }

    /// - Parameters:
    ///   - monitor: watches one stage: from its title and the unit that it counts.
    ///   - report: told of each finished round, also of those that were finished before.
    /// - Returns: the record; its last round is not finished if the work was stopped.
    /// - Throws: ``Failure`` for a configuration that has changed, and the errors of the stages.
    package func run<Monitor: WorkMonitor>(
        in corpus: Corpus, computer: RunComputer = .current(), monitor: (_ title: String, _ unit: String) -> Monitor,
        report: (AlignmentRecord.Round) -> Void = { _ in }
    ) throws -> (record: AlignmentRecord, isFinished: Bool) {
        var record = try AlignmentRecord.open(configuration, in: corpus)
        try checkReferees()
        for number in 1...configuration.rounds {
            let before = number > 1 ? record.rounds[number - 2].adapter : nil
            if record.rounds.count < number {
                record.rounds.append(.init(round: number, startedFrom: before, name: configuration.name(of: number)))
            }
            var stages = AlignmentRound(
                configuration: configuration, corpus: corpus, computer: computer, round: record.rounds[number - 1])
            for stage in AlignmentRound.Stage.allCases where !stages.isDone(stage) {
                let isDone = try stages.run(stage, monitor: monitor)
                guard isDone else { return (record, false) }
                record.rounds[number - 1] = stages.round
                try record.store(in: corpus)
            }
            try stages.checkAdapter()
            report(stages.round)
        }
        return (record, true)
    }

    /// Whether the judges know the prompts: asked before hours of candidates and training.
    private func checkReferees() throws {
        let evaluation = configuration.evaluation
        if case .referee = configuration.measure {
            try Referee(configuration.score).requireKnown(
                PromptFile(configuration.prompts).prompts, from: configuration.prompts.lastPathComponent)
        }
        try evaluation.referee?.requireKnown(
            PromptFile(evaluation.prompts).prompts, from: evaluation.prompts.lastPathComponent)
    }
}

/// One round at work.
struct AlignmentRound {
    enum Stage: CaseIterable { case select, train, evaluate }

    let configuration: AlignmentConfiguration
    let corpus: Corpus
    let computer: RunComputer
    var round: AlignmentRecord.Round

    func isDone(_ stage: Stage) -> Bool {
        switch stage {
        case .select: round.selection != nil
        case .train: round.adapter != nil
        case .evaluate: round.evaluation != nil
        }
    }

    /// - Returns: false if it was stopped.
    mutating func run<Monitor: WorkMonitor>(
        _ stage: Stage, monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> Bool {
        switch stage {
        case .select: try select(monitor)
        case .train: try train(monitor("round \(round.round): train", "steps"))
        case .evaluate: try evaluate(monitor("round \(round.round): evaluate", "images"))
        }
    }

    private func adapter(of round: Int) -> URL {
        RunFolder(corpus: corpus.folder, name: configuration.name(of: round)).adapter
    }

    /// The adapter that this round begins with.
    private var start: URL? { round.round > 1 ? adapter(of: round.round - 1) : nil }

    /// - Throws: ``Failure`` where the round's adapter is gone or is another by now.
    func checkAdapter() throws {
        let file = adapter(of: round.round)
        guard try Disk.exists(file.path), try AdapterFile.digest(of: file) == round.adapter else {
            throw Failure(
                "\(file.path): is not the adapter that round \(round.round) made; restore it, or choose another name for the "
                    + "alignment")
        }
    }

    private mutating func select<Monitor: WorkMonitor>(
        _ monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> Bool {
        guard let rows = try generate(monitor("round \(round.round): generate", "images")) else { return false }
        let watch = monitor("round \(round.round): score", "images")
        guard let scores = try score(rows, watch) else { return false }
        let groups = Dictionary(grouping: rows) { ExactText($0.prompt) }
        var ids: [Digest] = []
        var placed: Set<ExactText> = []
        for row in rows {
            let prompt = ExactText(row.prompt)
            guard placed.insert(prompt).inserted, let own = groups[prompt] else { continue }
            let ranked = own.sorted { a, b in
                let (left, right) = (scores[a.id] ?? 0, scores[b.id] ?? 0)
                return left == right ? a.id < b.id : left > right
            }
            ids += ranked.prefix(configuration.top ?? ranked.count).map(\.id)
        }
        let selection = Selection(ids: ids, policy: .list)
        try corpus.store(selection, as: round.name)
        (round.candidates, round.selected, round.selection) = (rows.count, ids.count, selection.digest.hex)
        return true
    }

    /// The candidates; nil if it was stopped.
    private func generate(_ monitor: some WorkMonitor) throws -> [CatalogueRow]? {
        let prompts = try PromptFile(configuration.prompts).prompts
        let total = try Candidate.count(
            prompts: prompts.count, imagesPerPrompt: configuration.imagesPerPrompt, limit: GenerationJob.limit)
        var source = configuration.model
        source.adapter = start
        let maker = try CandidateMaker(source, configuration.denoising, warn: monitor.warn)
        try maker.model.requireDescribableSchedule()
        let generator = CorpusGenerator(corpus: corpus, maker: maker, tag: round.name)
        let batches = Candidate.batches(
            prompts: prompts, imagesPerPrompt: configuration.imagesPerPrompt, seed: configuration.seed,
            size: configuration.batch)
        guard try generator.run(batches, total: total, monitor: monitor).isFinished else { return nil }
        // By their recipes: what was there before has another tag.
        let recipes = batches.flatMap { $0 }.map { generator.recipe($0).digest }
        let rows = try corpus.rows(recipes: recipes)
        let found = recipes.compactMap { rows[$0] }
        guard !found.isEmpty else {
            throw Failure("round \(round.round): no candidate has finite numbers; check model and candidates.guidance")
        }
        return found
    }

    /// The candidates' scores, by the model without adapter where they are measured; nil if it was stopped.
    private func score(_ rows: [CatalogueRow], _ monitor: some WorkMonitor) throws -> [Digest: Double]? {
        let name = configuration.score
        switch configuration.measure {
        case .referee:
            monitor.begin(total: rows.count)
            do {
                let values = try Referee(name).values(of: rows, in: corpus, monitor: monitor)
                return configuration.selectsAtRandom ? [:] : values
            } catch is Interrupted { return nil }
        case .errors:
            var job = configuration.scoring
            if name.hasPrefix("mc") { job.negatives = nil }
            guard try job.run(on: rows, in: corpus, monitor: monitor).isFinished else { return nil }
        case .present: break
        }
        if configuration.selectsAtRandom { return [:] }
        // What was measured is in the catalogue's rows only when they are read again.
        let fresh = try corpus.rows(recipes: rows.map(\.recipe))
        return try ScoreForm(name).requiredValues(of: Array(fresh.values), in: corpus)
    }

    private mutating func train(_ monitor: some WorkMonitor) throws -> Bool {
        var workflow = TrainingWorkflow(
            corpus: corpus, selection: round.name, model: configuration.model, runName: round.name,
            configuration: configuration.training)
        (workflow.score, workflow.negatives) = (configuration.trainingScore, configuration.trainingNegatives)
        (workflow.warmStart, workflow.computer) = (start, computer)
        let outcome = try workflow.run(
            report: { event in
                switch event {
                case .started(_, let steps): monitor.begin(total: steps)
                case .step(let report): monitor.update(report.step)
                case .note(let note): monitor.warn("note: \(note)")
                case .epoch, .evaluation, .validation, .checkpoint: break
                }
            }, isCancelled: { monitor.isCancelled })
        guard let made = outcome.made else { return false }
        round.adapter = made.digest
        return true
    }

    private mutating func evaluate(_ monitor: some WorkMonitor) throws -> Bool {
        try checkAdapter()
        var job = configuration.evaluation
        job.adapters = [.init(label: round.name, file: adapter(of: round.round))]
        job.name = round.name
        guard let report = try job.run(in: corpus, monitor: monitor).report else { return false }
        let score = report.settings.referee ?? report.scores.first
        round.results = report.results.filter { $0.category == "all" && $0.score == score }.map {
            .init(
                model: $0.model, guidance: $0.guidance, score: $0.score, mean: $0.value.mean, low: $0.value.low,
                high: $0.value.high)
        }
        round.evaluation = Digest(of: try Disk.read(StoredEvaluations.file(round.name, in: corpus).path)).hex
        return true
    }
}
