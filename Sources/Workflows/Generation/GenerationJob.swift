package import Corpus
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

    /// - Parameter prompts: a file as ``PromptFile`` reads it.
    package init(prompts: URL, model: ModelSource, denoising: DenoisingSettings) {
        (self.prompts, self.model, self.denoising) = (prompts, model, denoising)
    }

    /// Makes what the corpus lacks.
    ///
    /// - Throws: ``PromptFileError``; ``UsageError`` for settings that the model does not allow; ``Failure`` for a model
    ///   whose schedule cannot be recorded; ``ModelError``; ``CorpusError``. What was sealed before stays.
    package func run(into corpus: Corpus, monitor: some WorkMonitor) throws -> WorkOutcome {
        let prompts = part.of(try PromptFile(prompts).prompts)
        let total = try Candidate.count(prompts: prompts.count, imagesPerPrompt: imagesPerPrompt, limit: Self.limit)
        let maker = try CandidateMaker(model, denoising, warn: monitor.warn)
        try maker.model.requireDescribableSchedule()
        let batches = Candidate.batches(
            prompts: prompts, imagesPerPrompt: imagesPerPrompt, seed: seed, size: batch)
        return try CorpusGenerator(corpus: corpus, maker: maker, tag: tag).run(batches, total: total, monitor: monitor)
    }
}
