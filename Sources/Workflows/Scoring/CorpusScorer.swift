package import Corpus
package import Diffusion
import Tensor

/// Measures stored samples by Monte-Carlo traces, batch by batch; each batch is sealed as one score shard.
package struct CorpusScorer {
    private let corpus: Corpus
    private let reader: SampleReader
    private let model: DiffusionModel
    private let scorer: Scorer
    private let timesteps: [Int]
    private let batch: Int

    /// - Parameters:
    ///   - adapter: the digest of the adapter that is folded into the model.
    ///   - draws: noises at each timestep.
    ///   - steps: timesteps, spread over the schedule.
    ///   - batch: samples that are sealed together.
    package init(
        corpus: Corpus, model: DiffusionModel, adapter: String?, draws: Int, steps: Int, seed: UInt64, batch: Int
    ) throws {
        self.corpus = corpus
        reader = SampleReader(corpus)
        self.model = model
        self.batch = batch
        // Where to measure is up to the file as it is: only diffusers' pipelines correct it, for their images.
        var scheduler = model.scheduler
        scheduler.isCorrected = false
        timesteps = try SamplerKind.ddpm.make(scheduler, steps: steps).timesteps.map { Int($0) }
        scorer = Scorer(
            model: model.digest, adapter: adapter, draws: draws, steps: timesteps.count, seed: seed,
            schedule: ScheduleDescription(model.scheduler), precision: model.recordedPrecision)
    }

    /// Scores what is not scored yet.
    ///
    /// - Parameter monitor: told how many samples are done; asked at each sample whether to stop.
    /// - Throws: ``Failure`` for a latent that is not of the model's form, ``ModelError`` and ``CorpusError``.
    package func run(_ rows: [CatalogueRow], monitor: some WorkMonitor) throws -> WorkOutcome {
        var outcome = WorkOutcome(total: rows.count)
        var prompts = EmbeddingCache()
        monitor.begin(total: rows.count)
        for start in stride(from: 0, to: rows.count, by: batch) {
            let part = Array(rows[start..<min(start + batch, rows.count)])
            let known = try corpus.scored(part.map(\.id), by: scorer)
            let missing = part.filter { !known.contains($0.id) }
            outcome.skipped += known.count
            if missing.isEmpty { continue }
            let embeddings = prompts.embeddings(of: missing.map(\.prompt), model)
            var records: [ScoreRecord] = []
            for ((row, latent), prompt) in zip(zip(missing, try reader.latents(missing)), embeddings) {
                if monitor.isCancelled {
                    outcome.isFinished = false
                    return outcome
                }
                records.append(try measure(row, latent, prompt))
                monitor.update(start + known.count + records.count)
            }
            try corpus.append(records, by: scorer)
            outcome.made += records.count
        }
        monitor.update(rows.count)
        return outcome
    }

    private func measure(_ row: CatalogueRow, _ latent: [Float], _ prompt: PromptEmbedding) throws -> ScoreRecord {
        guard row.latentShape.count == 3, row.latentShape[0] == model.latentShape[0], let id = Digest(hex: row.id)
        else {
            throw Failure(
                "sample \(row.id): its latent is \(row.latentShape), the model's have \(model.latentShape[0]) channels; "
                    + "score it with the model that it was made with, or leave it out with --where")
        }
        let trace = try model.monteCarloTrace(
            latent: Tensor(shape: row.latentShape, values: latent), prompt: prompt, timesteps: timesteps,
            draws: scorer.draws, seed: scorer.seed)
        return ScoreRecord(
            sample: id, timesteps: timesteps.map(Int32.init), draws: trace.draws.map(\.deltaSquared))
    }
}
