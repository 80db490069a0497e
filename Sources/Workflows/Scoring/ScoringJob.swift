package import Corpus
import Diffusion

/// What `attune score` does: Monte-Carlo traces of stored samples.
package struct ScoringJob: Sendable {
    package var model: ModelSource
    /// An SQL condition as ``CatalogueQuery`` takes it; nil for every sample.
    package var condition: String?
    /// Noises at each timestep.
    package var draws = 4
    /// Timesteps, spread over the schedule.
    package var steps = 20
    /// Of the noises.
    package var seed: UInt64 = 42
    /// Samples that are sealed together.
    package var batch = 16

    package init(model: ModelSource) { self.model = model }

    /// Scores what has not been scored in the same way.
    ///
    /// - Throws: ``Failure`` where no sample fits, or the model's schedule cannot be recorded; ``UsageError`` for more
    ///   steps than the model has; ``ModelError``; ``CorpusError``. What was sealed before stays.
    package func run(in corpus: Corpus, monitor: some WorkMonitor) throws -> WorkOutcome {
        let rows = try corpus.query(CatalogueQuery(condition: condition))
        guard !rows.isEmpty else {
            throw Failure("no sample fits; nothing was scored: see what there is with attune query")
        }
        let (model, adapter) = try model.load(for: .noising)
        try model.requireSteps(steps)
        try model.requireDescribableSchedule()
        return try CorpusScorer(
            corpus: corpus, model: model, adapter: adapter, draws: draws, steps: steps, seed: seed, batch: batch
        ).run(rows, monitor: monitor)
    }
}
