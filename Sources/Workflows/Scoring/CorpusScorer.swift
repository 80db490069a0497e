package import CorpusStore
package import Diffusion
import Tensors

/// Measures stored samples by Monte-Carlo traces, batch by batch; each batch is sealed as one score shard.
package struct CorpusScorer {
    private let corpus: Corpus
    private let reader: SampleReader
    private let model: DiffusionModel
    private let scorer: Scorer
    private let timesteps: [Int]
    private let batch: Int
    private let negatives: NearMissPrompts?

    /// - Parameters:
    ///   - adapter: the digest of the adapter that is folded into the model.
    ///   - draws: noises at each timestep.
    ///   - steps: timesteps, spread over the schedule.
    ///   - batch: samples that are sealed together.
    ///   - negatives: near misses to measure beside the prompts; nil for traces alone.
    ///   - range: the timesteps to measure of those, lowest to highest; nil for all.
    ///   - settled: how many images of a prompt are to be told from the rest, which are then measured no further; nil to
    ///     measure all.
    package init(
        corpus: Corpus, model: DiffusionModel, adapter: String?, draws: Int, steps: Int, seed: UInt64, batch: Int,
        negatives: NearMissPrompts? = nil, timesteps range: ClosedRange<Int>? = nil, settled: Int? = nil,
        settledBy: ContrastRanking = ContrastRanking()
    ) throws {
        self.corpus = corpus
        reader = SampleReader(corpus)
        self.model = model
        self.batch = batch
        self.negatives = negatives
        // Where to measure is up to the file as it is: only diffusers' pipelines correct it, for their images.
        var scheduler = model.scheduler
        scheduler.isCorrected = false
        let all = try SamplerKind.ddpm.make(scheduler, steps: steps).timesteps.map { Int($0) }
        timesteps = all.filter { range?.contains($0) ?? true }
        guard !timesteps.isEmpty else {
            throw UsageError(
                "--timesteps holds none of the \(steps) that --steps spreads over 0 to \(model.scheduler.trainTimesteps - 1): "
                    + "widen it, or give more steps")
        }
        scorer = Scorer(
            model: model.digest, adapter: adapter, draws: draws, steps: timesteps.count, seed: seed,
            schedule: ScheduleDescription(model.scheduler), negatives: negatives?.source,
            timesteps: range, settled: settled,
            settledErrorWeight: settled == nil ? 0 : settledBy.errorWeight, precision: model.recordedPrecision,
            engine: model.recordedEngine)
    }

    /// Scores what is not scored yet.
    ///
    /// - Parameter monitor: told how many samples are done; asked at each sample whether to stop.
    /// - Throws: ``Failure`` for a latent that is not of the model's form, ``ModelError`` and ``CorpusError``.
    package func run(_ rows: [CatalogueRow], monitor: some WorkMonitor) throws -> WorkOutcome {
        if let negatives, let keep = scorer.settled {
            return try SettledScorer(
                corpus: corpus, model: model, scorer: scorer, timesteps: timesteps, negatives: negatives, keep: keep
            ).run(rows, monitor: monitor, check: check)
        }
        var outcome = WorkOutcome(total: rows.count)
        var prompts = EmbeddingCache()
        var meter: (prompt: ExactText, meter: ErrorMeter, negatives: [String])?
        var lacking: [ExactText] = []
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
                try check(row)
                if let negatives {
                    let text = ExactText(row.prompt)
                    if meter?.prompt != text {
                        let near = negatives.negatives(of: row.prompt)
                        if near.isEmpty { lacking.append(text) }
                        meter = (text, self.meter(prompt, near), near)
                    }
                    if let meter { records.append(try measure(row, latent, meter.meter, meter.negatives, prompt)) }
                } else {
                    records.append(try measure(row, latent, prompt))
                }
                monitor.update(start + known.count + records.count)
            }
            try corpus.append(records, by: scorer)
            outcome.made += records.count
        }
        monitor.update(rows.count)
        if let first = lacking.first {
            let others = lacking.count > 1 ? " and \(lacking.count - 1) more prompts" : ""
            monitor.warn(
                "warning: '\(joinedLines(first.text))'\(others) has no near misses, so its images get no contrast; list some in a "
                    + "file and give it to --negatives")
        }
        return outcome
    }

    /// Whether nothing is left to score of some samples.
    func hasScored(_ rows: [CatalogueRow]) throws -> Bool {
        try corpus.scored(rows.map(\.id), by: scorer).count == Set(rows.map(\.id)).count
    }

    private func check(_ row: CatalogueRow) throws {
        guard row.latentShape.count == 3, row.latentShape[0] == model.latentShape[0] else {
            throw Failure(
                "sample \(row.id): its latent is \(row.latentShape), the model's have \(model.latentShape[0]) channels; "
                    + "score it with the model that it was made with, or leave it out with --where")
        }
    }

    private func meter(_ prompt: PromptEmbedding, _ negatives: [String]) -> ErrorMeter {
        ErrorMeter(
            model, prompt: prompt, negatives: model.encode(prompts: negatives), timesteps: timesteps,
            draws: scorer.draws,
            seed: scorer.seed)
    }

    private func measure(
        _ row: CatalogueRow, _ latent: [Float], _ meter: ErrorMeter, _ negatives: [String], _ prompt: PromptEmbedding
    ) throws -> ScoreRecord {
        let (errors, traces) = try meter.measure(latent: Tensor(shape: row.latentShape, values: latent))
        try model.requireFinite(errors.values, of: row.id, prompt)
        return ScoreRecord(
            sample: row.id, timesteps: timesteps.map(Int32.init), draws: traces.map(\.deltaSquared),
            curves: ErrorCurves(negatives: negatives, errors: errors.values))
    }

    private func measure(
        _ row: CatalogueRow, _ latent: [Float], _ prompt: PromptEmbedding
    ) throws -> ScoreRecord {
        let trace = try model.monteCarloTrace(
            latent: Tensor(shape: row.latentShape, values: latent), prompt: prompt, timesteps: timesteps,
            draws: scorer.draws, seed: scorer.seed)
        try model.requireFinite(trace.mean.deltaSquared, of: row.id, prompt)
        return ScoreRecord(
            sample: row.id, timesteps: timesteps.map(Int32.init), draws: trace.draws.map(\.deltaSquared))
    }
}
