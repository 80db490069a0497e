package import Corpus
import Diffusion

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
    /// Where near-miss prompts come from; nil for none, and no errors are kept.
    package var negatives: NearMissSource?
    /// At most so many near misses of each prompt.
    package var negativeCount = 6
    /// The lowest and the highest timestep to measure; nil for the whole schedule.
    package var timesteps: ClosedRange<Int>?
    /// Measure until the best so many images of each prompt are told from the rest; nil to measure all.
    package var settled: Int?

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
        return try CorpusScorer(
            corpus: corpus, model: model, adapter: adapter, draws: draws, steps: steps, seed: seed, batch: batch,
            negatives: near, timesteps: timesteps, settled: near == nil ? nil : settled
        ).run(near == nil ? rows : rows.groupedByPrompt, monitor: monitor)
    }
}
