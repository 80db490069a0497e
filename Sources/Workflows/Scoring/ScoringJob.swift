package import CorpusStore
import Diffusion
import Foundation

/// What `attune score` does: Monte-Carlo traces of stored samples, and their denoising errors under near-miss prompts.
package struct ScoringJob: Sendable {
    package var model: ModelSource
    /// An SQL condition as `CatalogueQuery` takes it; nil for every sample.
    package var condition: String?
    /// Noise samples per timestep.
    package var draws = 4
    /// Timesteps, spread over the schedule.
    package var steps = 20
    /// Of the noises.
    package var seed: UInt64 = 42
    /// Samples that are sealed together.
    package var batch = 16
    /// The samples that are worked on, told by their ids.
    package var part = Part.all
    /// Of the workers that share the job, where it is a part.
    package var array = ArrayCheck()
    /// Where near-miss prompts come from; nil for none, and no errors are kept.
    package var negatives: NearMissSource?
    /// At most so many near misses of each prompt.
    package var negativeCount = 6
    /// The lowest and the highest timestep to measure; nil for the whole schedule.
    package var timesteps: ClosedRange<Int>?
    /// Measure until the best so many images of each prompt are told from the rest; nil to measure all.
    package var settled: Int?
    /// What the best are told by.
    package var settledBy = ContrastRanking()

    package init(model: ModelSource) { self.model = model }

    /// Scores what has not been scored in the same way.
    ///
    /// - Throws: ``Failure`` where no sample fits, the model's schedule cannot be recorded, or a list of near misses cannot be
    ///   used; ``UsageError`` for more steps than the model has, or a range without timesteps;
    ///   ``ModelError``; ``CorpusError``. What was sealed before stays.
    package func run(in corpus: Corpus, monitor: some WorkMonitor) throws -> WorkOutcome {
        let fitting = try corpus.query(CatalogueQuery(condition: condition))
        let rows = fitting.filter { part.has(id: $0.id) }
        guard !fitting.isEmpty else {
            throw Failure("no sample fits; nothing was scored: see what there is with attune query")
        }
        return try run(on: rows, in: corpus, monitor: monitor)
    }

    /// Scores those of some samples that have not been scored in the same way.
    func run(on rows: [CatalogueRow], in corpus: Corpus, monitor: some WorkMonitor) throws -> WorkOutcome {
        let (model, adapter) = try model.load(for: .noising)
        try model.requireSteps(steps)
        try model.requireDescribableSchedule()
        let near = try negatives.map {
            try NearMissPrompts($0, count: negativeCount, prompts: rows.map(\.prompt), in: corpus, model)
        }
        let place = try array.join(
            part, of: "score", on: condition ?? "all samples", settings: settings(model, adapter), in: corpus,
            warn: monitor.warn)
        defer { withExtendedLifetime(place) {} }
        return try scorer(model, adapter, near, in: corpus)
            .run(near == nil ? rows : rows.groupedByPrompt, monitor: monitor)
    }

    /// Whether some samples have all been scored in the same way.
    ///
    /// - Throws: as ``run(in:monitor:)``.
    func isComplete(on rows: [CatalogueRow], in corpus: Corpus) throws -> Bool {
        let (model, adapter) = try model.load(for: .noising)
        let near = try negatives.map {
            try NearMissPrompts($0, count: negativeCount, prompts: rows.map(\.prompt), in: corpus, model)
        }
        return try scorer(model, adapter, near, in: corpus).hasScored(rows)
    }

    private func scorer(
        _ model: DiffusionModel, _ adapter: String?, _ near: NearMissPrompts?, in corpus: Corpus
    ) throws -> CorpusScorer {
        try CorpusScorer(
            corpus: corpus, model: model, adapter: adapter, draws: draws, steps: steps, seed: seed, batch: batch,
            negatives: near, timesteps: timesteps, settled: near == nil ? nil : settled,
            settledBy: settledBy)
    }

    private func settings(_ model: DiffusionModel, _ adapter: String?) -> [String: String?] {
        let near: String? =
            switch negatives {
            case nil: nil
            case .rules(let seed)?: "rules:\(seed)"
            case .corpus?: "corpus"
            case .file(let url)?: url.lastPathComponent
            }
        return [
            "the model": model.digest, "the adapter": adapter, "--draws": String(draws), "--steps": String(steps),
            "--seed": String(seed), "--batch": String(batch), "--negatives": near.map { "\($0), \(negativeCount)" },
            "--timesteps": timesteps.map { "\($0.lowerBound)-\($0.upperBound)" },
            "--until-settled": settled.map { String($0) }, "--settle-by": settled.map { _ in settledBy.text },
            "--precision": model.recordedPrecision,
        ]
    }
}
