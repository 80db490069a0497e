import Codecs
import Corpus
import Tuning
import Diffusion
import Tensor

/// Fills a corpus with candidates, batch by batch; what is there already is not made again.
struct CorpusGenerator {
    let corpus: Corpus
    let maker: CandidateMaker
    let tag: String?

    struct Outcome {
        var made = 0
        var skipped = 0
        var isFinished = true
        /// Candidates that came out without finite numbers, and were not kept.
        var failed = 0
    }

    /// Makes what is missing of `batches` and seals each batch as one shard.
    ///
    /// - Parameter report: told how many candidates are done, the present batch counted by its steps.
    func run(
        _ batches: some Sequence<[Candidate]>, isCancelled: () -> Bool, report: (_ done: Int) -> Void,
        warn: (String) -> Void
    ) throws -> Outcome {
        var outcome = Outcome()
        var cache = EmbeddingCache()
        for batch in batches {
            // Asked again for each batch: another process may be filling the same corpus.
            let missing = try missing(of: batch)
            outcome.skipped += batch.count - missing.count
            let done = outcome.skipped + outcome.made + outcome.failed
            report(done)
            if missing.isEmpty { continue }
            if isCancelled() {
                outcome.isFinished = false
                return outcome
            }
            let generations = try maker.make(missing, cache: &cache) { share in
                report(done + Int(Double(missing.count) * share))
            }
            cache.takeWarnings().forEach(warn)
            let made = Array(zip(missing, generations))
            let kept = made.filter(\.1.isFinite)
            for (candidate, _) in made.filter({ !$0.1.isFinite }) {
                warn("attune: " + CandidateMaker.complaint(candidate))
            }
            if !kept.isEmpty { try corpus.append(try kept.map(record)) }
            outcome.made += kept.count
            outcome.failed += made.count - kept.count
            report(done + missing.count)
        }
        return outcome
    }

    private func missing(of batch: [Candidate]) throws -> [Candidate] {
        let recipes = batch.map { recipe($0).digest }
        let known = try corpus.existing(recipes)
        return zip(batch, recipes).filter { !known.contains($0.1) }.map(\.0)
    }

    private func recipe(_ candidate: Candidate) -> SampleRecipe {
        SampleRecipe(
            prompt: candidate.prompt, seed: candidate.seed, model: maker.model.digest, adapter: maker.adapter,
            sampler: maker.settings.sampler.rawValue, steps: maker.settings.steps, guidance: maker.settings.guidance,
            width: maker.imageSize.width, height: maker.imageSize.height, extras: maker.extras)
    }

    private func record(_ candidate: Candidate, _ generation: Generation) throws -> SampleRecord {
        let image = generation.image
        return SampleRecord(
            recipe: recipe(candidate), tag: tag,
            schedule: ScheduleDescription(maker.model.scheduler.resolved(for: maker.settings.sampler)),
            png: try PNG.encode(width: image.width, height: image.height, pixels: image.pixels),
            pixels: Digest(of: image.pixels), latentShape: generation.latent.shape, latent: generation.latent.values,
            timesteps: generation.trace.timesteps.map(Int32.init), deltaSquared: generation.trace.deltaSquared)
    }
}
