package import CorpusStore
import Diffusion
import Tensors

/// Fills a corpus with the best candidates of each prompt: all take the first steps, a score ranks them there, and only the
/// best are finished. Those are the images that they would have been without.
package struct PrunedGenerator {
    private let corpus: Corpus
    private let generator: CorpusGenerator
    private let maker: CandidateMaker
    private let pruning: PruningSettings
    private let imagesPerPrompt: Int
    private let seed: UInt64
    private let batch: Int
    private let score: CandidateScore
    /// Steps before the choice.
    private let firstSteps: Int

    /// - Parameters:
    ///   - prompts: those that will be asked for.
    ///   - tag: a name for what it makes, for queries.
    /// - Throws: ``UsageError`` for settings that save nothing; ``Failure`` for prompts that cannot be ranked.
    package init(
        corpus: Corpus, maker: CandidateMaker, pruning: PruningSettings, prompts: [String], imagesPerPrompt: Int,
        seed: UInt64, batch: Int, tag: String?
    ) throws {
        try pruning.check(imagesPerPrompt: imagesPerPrompt)
        self.maker = try maker.pruned(pruning, of: imagesPerPrompt, from: seed)
        (self.corpus, self.pruning, self.imagesPerPrompt) = (corpus, pruning, imagesPerPrompt)
        (self.seed, self.batch) = (seed, batch)
        generator = CorpusGenerator(corpus: corpus, maker: self.maker, tag: tag)
        score = try CandidateScore(pruning, maker, prompts: prompts, in: corpus)
        firstSteps = self.maker.extras.pruning?.after ?? 0
    }

    /// Makes what is missing. The best of some prompts at a time, about a batch of images, are sealed as one shard.
    ///
    /// - Parameters:
    ///   - prompts: whose candidates are made.
    ///   - monitor: told of candidates, in progress by their steps.
    /// - Throws: `ModelError` and `CorpusError`; what was sealed before stays.
    package func run(_ prompts: [String], monitor: some WorkMonitor) throws -> WorkOutcome {
        var outcome = WorkOutcome(total: prompts.count * pruning.keep)
        outcome.forwards = Forwards()
        var cache = EmbeddingCache()
        monitor.begin(total: prompts.count * imagesPerPrompt)
        let group = max(1, batch / pruning.keep)
        for start in stride(from: 0, to: prompts.count, by: group) {
            let own = prompts[start..<min(start + group, prompts.count)]
            let missing = try own.filter { try finished(of: $0).count < pruning.keep }
            outcome.skipped += (own.count - missing.count) * pruning.keep
            let done = start * imagesPerPrompt
            if !missing.isEmpty {
                let before = done + (own.count - missing.count) * imagesPerPrompt
                guard try fill(missing, before, &cache, monitor, &outcome) else {
                    outcome.isFinished = false
                    return outcome
                }
            }
            monitor.update(done + own.count * imagesPerPrompt)
        }
        return outcome
    }

    private func candidates(of prompt: String) -> [Candidate] {
        (0..<imagesPerPrompt).map { Candidate(prompt: prompt, seed: seed &+ UInt64($0)) }
    }

    /// The candidates of a prompt that the corpus has.
    private func finished(of prompt: String) throws -> Set<UInt64> {
        let all = candidates(of: prompt)
        let missing = Set(try generator.missing(of: all).map(\.seed))
        return Set(all.map(\.seed)).subtracting(missing)
    }

    /// - Returns: false if it was stopped.
    private func fill(
        _ prompts: [String], _ done: Int, _ cache: inout EmbeddingCache, _ monitor: some WorkMonitor,
        _ outcome: inout WorkOutcome
    ) throws -> Bool {
        let all = prompts.flatMap(candidates)
        var (begun, scores): ([(batch: Denoising, members: Range<Int>)], [Double]) = ([], [])
        var total = 0
        for start in stride(from: 0, to: all.count, by: batch) {
            if monitor.isCancelled { return false }
            let members = start..<min(start + batch, all.count)
            var part = try maker.begin(Array(all[members]), cache: &cache)
            try part.advance(to: firstSteps) { share in
                monitor.update(done + start + Int(share * Double(members.count)))
            }
            cache.takeWarnings().forEach(monitor.warn)
            total = part.steps
            let measured = try score.values(of: part, prompts: all[members].map(\.prompt))
            scores += measured.values
            outcome.forwards?.spent += measured.forwards + members.count * firstSteps * part.forwardsAStep
            outcome.forwards?.unpruned += members.count * part.steps * part.forwardsAStep
            begun.append((part, members))
        }
        let chosen = best(of: prompts.count, scores)
        // Batches that lose all of their images end here.
        let kept = begun.compactMap { part, members -> Denoising? in
            let rows = members.filter(chosen.contains).map { $0 - members.lowerBound }
            guard !rows.isEmpty else { return nil }
            var part = part
            part.keep(rows)
            return part
        }
        guard !kept.isEmpty else { return true }
        let whole = Denoising(joining: kept)
        let places = chosen.sorted()
        var made: [(Candidate, Generation)] = []
        for start in stride(from: 0, to: places.count, by: batch) {
            if monitor.isCancelled { return false }
            let rows = start..<min(start + batch, places.count)
            var part = whole
            part.keep(Array(rows))
            try part.advance(to: total)
            outcome.forwards?.spent += rows.count * (total - firstSteps) * part.forwardsAStep
            made += zip(rows.map { all[places[$0]] }, try part.generations())
        }
        try seal(made, monitor, &outcome)
        return true
    }

    /// The places of the best candidates of each prompt; those without a score are none.
    private func best(of prompts: Int, _ scores: [Double]) -> Set<Int> {
        Set(
            (0..<prompts).flatMap { prompt in
                let own = prompt * imagesPerPrompt..<(prompt + 1) * imagesPerPrompt
                return own.filter { scores[$0].isFinite }.sorted { (scores[$1], $0) < (scores[$0], $1) }
                    .prefix(pruning.keep)
            })
    }

    private func seal(
        _ made: [(Candidate, Generation)], _ monitor: some WorkMonitor, _ outcome: inout WorkOutcome
    ) throws {
        for (candidate, generation) in made where !generation.isFinite {
            monitor.warn("attune: " + maker.complaint(candidate))
        }
        let finite = made.filter(\.1.isFinite)
        // Of a prompt that lost some of its images.
        let kept = try finite.filter { try !generator.missing(of: [$0.0]).isEmpty }
        if !kept.isEmpty { try corpus.append(try kept.map { try generator.record($0.0, $0.1) }) }
        outcome.made += kept.count
        outcome.skipped += finite.count - kept.count
        outcome.failed += made.count - finite.count
    }
}
