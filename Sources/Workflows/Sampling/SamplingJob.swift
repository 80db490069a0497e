import CorpusStore
import Diffusion
package import Foundation

/// What `attune sample` does: images for the prompts of a file, into a plain folder.
package struct SamplingJob: Sendable {
    /// The most images of one command, which writes a file for each.
    package static let limit = 10_000_000

    package let prompts: URL
    package let model: ModelSource
    package let denoising: DenoisingSettings
    package var imagesPerPrompt = 10
    /// Of each prompt's first image.
    package var seed: UInt64 = 42
    /// Images that are made together.
    package var batch = 16

    /// - Parameter prompts: a file as ``PromptFile`` reads it.
    package init(prompts: URL, model: ModelSource, denoising: DenoisingSettings) {
        (self.prompts, self.model, self.denoising) = (prompts, model, denoising)
    }

    /// Makes what the folder lacks.
    ///
    /// - Throws: ``PromptFileError``; ``UsageError`` for settings that the model does not allow; ``Failure`` for a folder
    ///   that holds something else or cannot be written; ``ModelError``. Images that are in the folder stay.
    package func run(into place: URL, monitor: some WorkMonitor) throws -> WorkOutcome {
        let prompts = try PromptFile(prompts).prompts
        _ = try Candidate.count(prompts: prompts.count, imagesPerPrompt: imagesPerPrompt, limit: Self.limit)
        let maker = try CandidateMaker(model, denoising, warn: monitor.warn)
        let folder = try SampleFolder(place, settings: SampleFolder.Settings(maker, prompts: prompts))
        let images = SampleFolder.images(prompts: prompts, imagesPerPrompt: imagesPerPrompt, seed: seed)
        return try ImageSampler(maker: maker, folder: folder, batch: batch).run(images, monitor: monitor)
    }
}

extension SampleFolder.Settings {
    init(_ maker: CandidateMaker, prompts: [String]) {
        self.init(
            model: maker.model.digest, adapter: maker.adapter, steps: maker.settings.steps,
            guidance: maker.settings.guidance, sampler: maker.settings.sampler.rawValue, prompts: prompts,
            negativePrompt: maker.extras.negativePrompt,
            clipSkip: maker.extras.clipSkip == 0 ? nil : maker.extras.clipSkip, width: maker.size?.width,
            height: maker.size?.height,
            ignoredFields: maker.extras.ignoredFields.isEmpty ? nil : maker.extras.ignoredFields,
            precision: maker.extras.precision)
    }
}
