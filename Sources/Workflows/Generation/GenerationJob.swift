package import CorpusStore
package import Foundation

/// What `attune generate` does: candidates for the prompts of a file, into a corpus.
///
/// ```swift
/// var job = GenerationJob(
///     prompts: URL(fileURLWithPath: "prompts.txt"), model: ModelSource(folder: URL(fileURLWithPath: "datasets/tiny-sd")),
///     denoising: DenoisingSettings(steps: 25, guidance: 3, sampler: .ddim))
/// job.imagesPerPrompt = 4
/// let outcome = try job.run(into: corpus, monitor: monitor)
/// ```
package struct GenerationJob: Sendable {
    /// The most images of one command; more than that is work for parts.
    package static let limit = 100_000_000

    package let prompts: URL
    package var model: ModelSource
    package let denoising: DenoisingSettings
    /// The prompts that are worked on.
    package var part = Part.all
    package var imagesPerPrompt = 50
    /// Of each prompt's first candidate.
    package var seed: UInt64 = 42
    /// Images that are made together and sealed as one shard.
    package var batch = 16
    /// A name for what is made, for queries.
    package var tag: String?
    /// Whether what another kind of device, or another version of PyTorch, has made is made again.
    package var sameEngine = false
    /// How candidates are given up before they are finished; nil to finish all.
    package var pruning: PruningSettings?
    /// Of the workers that share the job, where it is a part.
    package var array = ArrayCheck()

    /// - Parameter prompts: a file as ``PromptFile`` reads it.
    package init(prompts: URL, model: ModelSource, denoising: DenoisingSettings) {
        (self.prompts, self.model, self.denoising) = (prompts, model, denoising)
    }

    /// Makes what the corpus lacks.
    ///
    /// - Throws: ``PromptFileError``; ``UsageError`` for settings that the model does not allow; ``Failure`` for a model
    ///   whose schedule cannot be recorded, and for prompts that pruning cannot rank; ``ModelError``; ``CorpusError``. What was sealed before stays.
    package func run(into corpus: Corpus, monitor: some WorkMonitor) throws -> WorkOutcome {
        let all = try PromptFile(prompts).prompts
        let prompts = part.of(all)
        let total = try Candidate.count(prompts: prompts.count, imagesPerPrompt: imagesPerPrompt, limit: Self.limit)
        let maker = try CandidateMaker(model, denoising, sharing: true, warn: monitor.warn)
        try maker.model.requireDescribableSchedule()
        let place = try array.join(
            part, of: "generate", on: self.prompts.lastPathComponent, tag: tag, settings: settings(maker, all),
            in: corpus, warn: monitor.warn)
        defer { withExtendedLifetime(place) {} }
        if let pruning {
            return try PrunedGenerator(
                corpus: corpus, maker: maker, pruning: pruning, prompts: prompts, imagesPerPrompt: imagesPerPrompt,
                seed: seed, batch: batch, tag: tag
            ).run(prompts, monitor: monitor)
        }
        let batches = Candidate.batches(
            prompts: prompts, imagesPerPrompt: imagesPerPrompt, seed: seed, size: batch)
        return try CorpusGenerator(corpus: corpus, maker: maker, tag: tag, sameEngine: sameEngine)
            .run(batches, total: total, monitor: monitor)
    }

    /// What all workers must have in common for their images to be those of one process.
    private func settings(_ maker: CandidateMaker, _ prompts: [String]) -> [String: String?] {
        let own: [String: String?] = [
            "the prompts":
                "sha256:\(Digest(of: Data(prompts.joined(separator: "\n").utf8)).hex.prefix(12)), \(prompts.count)",
            "--images-per-prompt": String(imagesPerPrompt), "--seed": String(seed), "--batch": String(batch),
            "--prune-by": pruning.map { "\($0.score.text), keep \($0.keep)" },
        ]
        return own.merging(maker.shared) { $1 }
    }
}
