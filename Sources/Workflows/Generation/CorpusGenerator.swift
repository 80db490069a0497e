import Images
import Codecs
package import Corpus
import Diffusion
import Tensor

/// Fills a corpus with candidates, batch by batch; what is already present is not made again.
package struct CorpusGenerator {
    private let corpus: Corpus
    private let maker: CandidateMaker
    private let tag: String?

    /// - Parameter tag: a name for what it makes, for queries.
    package init(corpus: Corpus, maker: CandidateMaker, tag: String? = nil) {
        (self.corpus, self.maker, self.tag) = (corpus, maker, tag)
    }

    /// Makes what is missing of `batches` and seals each batch as one shard.
    ///
    /// - Parameters:
    ///   - batches: candidates that are made and sealed together.
    ///   - total: the number of candidates in all batches.
    ///   - monitor: told how many candidates are done, the present batch counted by its steps.
    /// - Throws: `ModelError` and `CorpusError`; what was sealed before stays.
    package func run(
        _ batches: some Sequence<[Candidate]>, total: Int, monitor: some WorkMonitor
    ) throws -> WorkOutcome {
        var outcome = WorkOutcome(total: total)
        var cache = EmbeddingCache()
        monitor.begin(total: total)
        for batch in batches {
            // Asked again for each batch: another process may be filling the same corpus.
            let missing = try missing(of: batch)
            outcome.skipped += batch.count - missing.count
            let done = outcome.skipped + outcome.made + outcome.failed
            monitor.update(done)
            if missing.isEmpty { continue }
            if monitor.isCancelled {
                outcome.isFinished = false
                return outcome
            }
            let generations = try maker.make(missing, cache: &cache) { share in
                monitor.update(done + Int(Double(missing.count) * share))
            }
            cache.takeWarnings().forEach(monitor.warn)
            let made = Array(zip(missing, generations))
            let kept = made.filter(\.1.isFinite)
            for (candidate, _) in made.filter({ !$0.1.isFinite }) {
                monitor.warn("attune: " + CandidateMaker.complaint(candidate))
            }
            if !kept.isEmpty { try corpus.append(try kept.map(record)) }
            outcome.made += kept.count
            outcome.failed += made.count - kept.count
            monitor.update(done + missing.count)
        }
        return outcome
    }

    /// What of a batch the corpus does not have.
    func missing(of batch: [Candidate]) throws -> [Candidate] {
        let recipes = batch.map { recipe($0).digest }
        let known = try corpus.existing(recipes)
        return zip(batch, recipes).filter { !known.contains($0.1) }.map(\.0)
    }

    /// What a candidate is made of; its digest is known before it exists.
    func recipe(_ candidate: Candidate) -> SampleRecipe {
        SampleRecipe(
            prompt: candidate.prompt, seed: candidate.seed, model: maker.model.digest, adapter: maker.adapter,
            sampler: maker.settings.sampler.rawValue, steps: maker.settings.steps, guidance: maker.settings.guidance,
            width: maker.imageSize.width, height: maker.imageSize.height, extras: maker.extras)
    }

    func record(_ candidate: Candidate, _ generation: Generation) throws -> SampleRecord {
        let image = generation.image
        return SampleRecord(
            recipe: recipe(candidate), tag: tag,
            schedule: ScheduleDescription(maker.model.scheduler.resolved(for: maker.settings.sampler)),
            png: try PNG.encode(image),
            pixels: Digest(of: image.pixels), latentShape: generation.latent.shape, latent: generation.latent.values,
            timesteps: generation.trace.timesteps.map(Int32.init), deltaSquared: generation.trace.deltaSquared)
    }
}
