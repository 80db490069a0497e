import Images
import Codecs
package import CorpusStore
import Diffusion
import Tensors

/// Fills a corpus with candidates, batch by batch; what is already present is not made again.
package struct CorpusGenerator {
    private let corpus: Corpus
    private let maker: CandidateMaker
    private let tag: String?
    private let sameEngine: Bool

    /// - Parameters:
    ///   - tag: a name for what it makes, for queries.
    ///   - sameEngine: whether what another kind of device has made is made again.
    package init(corpus: Corpus, maker: CandidateMaker, tag: String? = nil, sameEngine: Bool = false) {
        (self.corpus, self.maker, self.tag, self.sameEngine) = (corpus, maker, tag, sameEngine)
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
        var caches = Array(repeating: EmbeddingCache(), count: maker.devices)
        monitor.begin(total: total)
        var next = batches.makeIterator()
        while true {
            // A batch for each device.
            var round: [[Candidate]] = []
            while round.count < maker.devices, let batch = next.next() {
                // Asked again for each batch: another process may be filling the same corpus.
                let missing = try missing(of: batch)
                outcome.skipped += batch.count - missing.count
                monitor.update(outcome.skipped + outcome.made + outcome.failed)
                if !missing.isEmpty { round.append(missing) }
            }
            if round.isEmpty { return outcome }
            if monitor.isCancelled {
                outcome.isFinished = false
                return outcome
            }
            let (done, count) = (outcome.skipped + outcome.made + outcome.failed, round.reduce(0) { $0 + $1.count })
            let made = try maker.make(round: round, caches: &caches) { share in
                monitor.update(done + Int(Double(count) * share))
            }
            for index in caches.indices { caches[index].takeWarnings().forEach(monitor.warn) }
            for (candidates, generations) in zip(round, made) {
                try seal(Array(zip(candidates, generations)), &outcome, monitor)
            }
            monitor.update(done + count)
        }
    }

    private func seal(
        _ made: [(Candidate, Generation)], _ outcome: inout WorkOutcome, _ monitor: some WorkMonitor
    ) throws {
        let kept = made.filter(\.1.isFinite)
        for (candidate, _) in made.filter({ !$0.1.isFinite }) {
            monitor.warn("attune: " + maker.complaint(candidate))
        }
        if !kept.isEmpty { try corpus.append(try kept.map(record)) }
        outcome.made += kept.count
        outcome.failed += made.count - kept.count
    }

    /// What of a batch the corpus does not have.
    func missing(of batch: [Candidate]) throws -> [Candidate] {
        let recipes = batch.map { recipe($0).digest }
        let known =
            sameEngine
            ? try corpus.existing(recipes, engine: maker.model.recordedEngine) : try corpus.existing(recipes)
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
            recipe: recipe(candidate), tag: tag, engine: maker.model.recordedEngine,
            schedule: ScheduleDescription(maker.model.scheduler.resolved(for: maker.settings.sampler)),
            png: try PNG.encode(image),
            pixels: Digest(of: image.pixels), latentShape: generation.latent.shape, latent: generation.latent.values,
            timesteps: generation.trace.timesteps.map(Int32.init), deltaSquared: generation.trace.deltaSquared)
    }
}
