import CorpusStore
import Diffusion
import Foundation
import Tensors

/// Measures the images of each prompt against its near misses until it is settled which are the best by contrast. An image
/// that is clearly none of them is measured at a part of the timesteps alone, and gets no score.
struct SettledScorer {
    let corpus: Corpus
    let model: DiffusionModel
    let scorer: Scorer
    let timesteps: [Int]
    let negatives: NearMissPrompts
    /// How many images of a prompt are to be told from the rest.
    let keep: Int

    /// One image on its way.
    private struct Arm {
        let id: Digest
        let latent: Tensor
        var isMeasured = true
        /// By place in the timesteps.
        var errors: [Int: [[Float]]] = [:]
        var deltas: [Int: [Float]] = [:]
    }

    /// Scores what is not scored yet; each prompt's images are sealed together.
    ///
    /// - Parameters:
    ///   - rows: those of a prompt together.
    ///   - check: refuses a latent that is not of the model's form.
    func run(
        _ rows: [CatalogueRow], monitor: some WorkMonitor, check: (CatalogueRow) throws -> Void
    ) throws -> WorkOutcome {
        var outcome = WorkOutcome(total: rows.count)
        let reader = SampleReader(corpus)
        var (spent, whole) = (0, 0)
        monitor.begin(total: rows.count)
        var start = 0
        while start < rows.count {
            let prompt = ExactText(rows[start].prompt)
            let end = rows[start...].firstIndex { ExactText($0.prompt) != prompt } ?? rows.count
            let part = Array(rows[start..<end])
            start = end
            let known = try corpus.scored(part.map(\.id), by: scorer)
            let missing = part.filter { !known.contains($0.id) }
            outcome.skipped += known.count
            if missing.isEmpty { continue }
            let arms = try zip(missing, reader.latents(missing)).map { row, latent in
                try check(row)
                return Arm(id: row.id, latent: Tensor(shape: row.latentShape, values: latent))
            }
            guard let records = try settle(arms, prompt.text, monitor, &spent) else {
                outcome.isFinished = false
                return outcome
            }
            whole += arms.count * timesteps.count
            try corpus.append(records, by: scorer)
            outcome.made += records.count
            monitor.update(outcome.made + outcome.skipped)
        }
        if whole > 0 {
            monitor.warn(
                "settled with \(formatted(100 * Double(spent) / Double(whole), digits: 0)) % of the measurements")
        }
        return outcome
    }

    /// - Returns: nil where the work was stopped.
    private func settle(
        _ images: [Arm], _ prompt: String, _ monitor: some WorkMonitor, _ spent: inout Int
    ) throws -> [ScoreRecord]? {
        var arms = images
        let near = negatives.negatives(of: prompt)
        let embeddings = model.encode(prompts: [prompt] + near)
        let meter = ErrorMeter(
            model, prompt: embeddings[0], negatives: Array(embeddings.dropFirst()), timesteps: timesteps,
            draws: scorer.draws,
            seed: scorer.seed)
        let rule = SuccessiveElimination(
            keep: keep, estimator: ContrastEstimator(errorWeight: scorer.settledErrorWeight))
        var done: [Int] = []
        for place in SuccessiveElimination.spread(timesteps.count) {
            let live = arms.indices.filter { arms[$0].isMeasured }
            for index in live {
                if monitor.isCancelled { return nil }
                let (errors, traces) = try meter.measure(latent: arms[index].latent, at: [place])
                try model.requireFinite(errors.values, of: arms[index].id, embeddings[0])
                arms[index].errors[place] = (0..<scorer.draws).map {
                    Array(errors.values[$0 * errors.prompts..<($0 + 1) * errors.prompts])
                }
                arms[index].deltas[place] = traces.map { $0.deltaSquared[0] }
                spent += 1
            }
            done = (done + [place]).sorted()
            for settled in rule.settled(
                live.map { errors(of: arms[$0], at: done, near.count + 2) }, schedule: model.schedule)
            {
                arms[live[settled]].isMeasured = false
            }
        }
        return arms.map { arm in
            ScoreRecord(
                sample: arm.id, timesteps: timesteps.map(Int32.init),
                draws: (0..<scorer.draws).map { draw in timesteps.indices.map { arm.deltas[$0]?[draw] ?? .nan } },
                curves: ErrorCurves(
                    negatives: near, errors: errors(of: arm, at: Array(timesteps.indices), near.count + 2).values))
        }
    }

    /// NaN where nothing was measured.
    private func errors(of arm: Arm, at places: [Int], _ prompts: Int) -> DenoisingErrors {
        DenoisingErrors(
            timesteps: places.map { timesteps[$0] }, draws: scorer.draws, prompts: prompts,
            values: (0..<scorer.draws).flatMap { draw in
                places.flatMap { arm.errors[$0]?[draw] ?? Array(repeating: .nan, count: prompts) }
            })
    }
}
