package import CorpusStore
package import Diffusion
import Tensors

/// A loaded model, the adapter folded into it, and how its images are made.
package struct CandidateMaker: Sendable {
    package var model: DiffusionModel { models[0] }
    /// The model on each device that shares out the batches.
    private let models: [DiffusionModel]
    /// The digest of the adapter's file.
    package let adapter: String?
    package private(set) var settings: DenoisingSettings
    /// Nil for the model's own.
    package let size: ImageSize?
    /// What belongs to the recipe where it is not as usual.
    package private(set) var extras: RecipeExtras
    private let negative: PromptEmbedding?

    /// - Parameters:
    ///   - source: the model, and the adapter to fold in.
    ///   - settings: how images are denoised.
    ///   - sharing: whether several devices may be named, which make one batch each at a time.
    ///   - warn: takes what speaks against the settings without making them impossible.
    /// - Throws: ``UsageError`` for settings that the model does not allow, and what loading it throws.
    package init(
        _ source: ModelSource, _ settings: DenoisingSettings, sharing: Bool = false, warn: (String) -> Void = { _ in }
    ) throws {
        if sharing {
            (models, adapter) = try source.loadAll(for: .sampling(settings.sampler))
        } else {
            let (model, adapter) = try source.load(for: .sampling(settings.sampler))
            (models, self.adapter) = ([model], adapter)
        }
        let model = models[0]
        try model.requireSteps(settings.steps)
        // A sampler that cannot do it says so before any work.
        _ = try settings.sampler.make(model.scheduler, steps: settings.steps)
        self.settings = settings
        size = try Self.size(settings, model)
        let skipped = settings.clipSkip ?? 0
        guard skipped <= model.skippableLayers else {
            throw UsageError(
                "--clip-skip is \(skipped); the model's text encoder can leave out \(model.skippableLayers) layers at most"
            )
        }
        // SDXL alone tells an empty negative prompt from none.
        let text = settings.negativePrompt.flatMap { $0.isEmpty && !model.isXL ? nil : $0 }
        guard text == nil || model.isGuided(Float(settings.guidance)) else {
            throw UsageError(
                "--negative-prompt does nothing with this model: it was distilled to take the guidance scale in; leave it "
                    + "out")
        }
        negative = text.map { model.encode(prompts: [$0])[0] }
        extras = RecipeExtras(
            negativePrompt: text, clipSkip: skipped,
            tracesNegativePrompt: text != nil && settings.baseline == .negativePrompt,
            ignoredFields: model.ignoredFields, precision: model.recordedPrecision)
        if let name = model.scheduler.distilledClass, settings.sampler != .lcm {
            warn(
                "warning: \(name) in the model's scheduler says that it was distilled; its images "
                    + "are made with --sampler lcm --steps 4 --guidance 1 or the like")
        }
    }

    private static func size(_ settings: DenoisingSettings, _ model: DiffusionModel) throws(UsageError) -> ImageSize? {
        guard settings.width != nil || settings.height != nil else { return nil }
        let size = ImageSize(
            width: settings.width ?? model.imageSize.width, height: settings.height ?? model.imageSize.height)
        for (side, option) in [(size.width, "--width"), (size.height, "--height")] where side % model.sizeUnit != 0 {
            throw UsageError("\(option) is \(side); for this model it must be a multiple of \(model.sizeUnit)")
        }
        return size == model.imageSize ? nil : size
    }

    /// The same with another scale of guidance: the model is not loaded again.
    func guided(by scale: Double) -> CandidateMaker {
        var copy = self
        copy.settings.guidance = scale
        return copy
    }

    /// The size of its images.
    package var imageSize: ImageSize { size ?? model.imageSize }

    /// How many batches are made side by side.
    var devices: Int { models.count }

    /// Makes a batch on each device.
    ///
    /// - Parameters:
    ///   - round: as many batches as there are devices, or fewer.
    ///   - caches: one for each device.
    ///   - progress: told the share of the first one's denoising steps that are done.
    func make(
        round: [[Candidate]], caches: inout [EmbeddingCache], progress: (Double) -> Void
    ) throws(ModelError) -> [[Generation]] {
        if round.count == 1 { return [try make(round[0], cache: &caches[0], progress: progress)] }
        typealias Made = Result<(images: [Generation], cache: EmbeddingCache), ModelError>
        let made = withoutActuallyEscaping(progress) { progress -> [Made] in
            nonisolated(unsafe) let progress = progress
            return concurrently(round.count) { [caches] index -> Made in
                var cache = caches[index]
                do throws(ModelError) {
                    // Index 0 is on this thread.
                    let images = try make(
                        round[index], on: models[index], cache: &cache, progress: { if index == 0 { progress($0) } })
                    return .success((images, cache))
                } catch { return .failure(error) }
            }
        }
        var images: [[Generation]] = []
        for (index, result) in made.enumerated() {
            let one = try result.get()
            images.append(one.images)
            caches[index] = one.cache
        }
        return images
    }

    /// The same where a choice is made among the candidates before they are finished, which their recipes record.
    ///
    /// - Throws: ``UsageError`` where the choice would come after the last step.
    func pruned(_ pruning: PruningSettings, of candidates: Int, from seed: UInt64) throws -> CandidateMaker {
        let total = try settings.sampler.make(model.scheduler, steps: settings.steps).timesteps.count
        var copy = self
        copy.extras.pruning = CandidatePruning(
            keep: pruning.keep, of: candidates, firstSeed: seed, after: try pruning.steps(of: total),
            by: pruning.score.text, negatives: pruning.negativesRecord)
        return copy
    }

    /// Makes a batch.
    ///
    /// - Parameters:
    ///   - cache: embeddings of the batch before; candidates of a prompt follow each other.
    ///   - progress: told the share of the denoising steps that are done.
    package func make(
        _ batch: [Candidate], cache: inout EmbeddingCache, progress: (Double) -> Void
    ) throws(ModelError) -> [Generation] {
        try make(batch, on: model, cache: &cache, progress: progress)
    }

    /// A batch before its first step.
    func begin(_ batch: [Candidate], cache: inout EmbeddingCache) throws(ModelError) -> Denoising {
        try Denoising(
            model, request(batch, cache.embeddings(of: batch.map(\.prompt), model, skipping: extras.clipSkip)))
    }

    /// A batch that a device's memory is too small for is made in halves.
    private func make(
        _ batch: [Candidate], on model: DiffusionModel, cache: inout EmbeddingCache, progress: (Double) -> Void
    ) throws(ModelError) -> [Generation] {
        do throws(ModelError) {
            return try makeWhole(batch, on: model, cache: &cache, progress: progress)
        } catch {
            guard error.code == .outOfMemory, batch.count > 1 else { throw error }
            model.device.forgetFailure()
            let middle = (batch.count + 1) / 2
            return try make(Array(batch[..<middle]), on: model, cache: &cache, progress: { progress($0 / 2) })
                + make(Array(batch[middle...]), on: model, cache: &cache, progress: { progress(0.5 + $0 / 2) })
        }
    }

    private func makeWhole(
        _ batch: [Candidate], on model: DiffusionModel, cache: inout EmbeddingCache, progress: (Double) -> Void
    ) throws(ModelError) -> [Generation] {
        let request = request(batch, cache.embeddings(of: batch.map(\.prompt), model, skipping: extras.clipSkip))
        return try model.generate(request) { (share: Double) throws(ModelError) in progress(share) }
    }

    private func request(_ batch: [Candidate], _ embeddings: [PromptEmbedding]) -> GenerationRequest {
        var request = GenerationRequest(
            prompts: embeddings, seeds: batch.map(\.seed), steps: settings.steps, guidance: Float(settings.guidance),
            sampler: settings.sampler)
        (request.negative, request.size, request.baseline) = (negative, size, settings.baseline)
        return request
    }

    /// Why a generation that came out without finite numbers is not kept.
    func complaint(_ candidate: Candidate) -> String {
        let text =
            "prompt \"\(joinedLines(String(candidate.prompt.prefix(80))))\", seed \(candidate.seed): the image came out with values "
            + "that are not finite numbers and is not kept; check the model and the adapter for NaN, or lower --guidance"
        guard model.precision != .float32 else { return text }
        let embeddings = model.encode(prompts: [candidate.prompt], skipping: extras.clipSkip)
        return text + ", or give \(model.widerPrecisions)" + model.firstSeen(request([candidate], embeddings))
    }
}

extension CandidateMaker {
    /// What decides an image beside its prompt and seed, by its name in messages.
    var shared: [String: String?] {
        [
            "the model": model.digest, "the adapter": adapter, "--sampler": settings.sampler.rawValue,
            "--steps": String(settings.steps), "--guidance": String(settings.guidance),
            "the size": "\(imageSize.width)x\(imageSize.height)", "--negative-prompt": extras.negativePrompt,
            "--clip-skip": extras.clipSkip == 0 ? nil : String(extras.clipSkip),
            "--mi-negative": extras.tracesNegativePrompt ? "yes" : nil, "--precision": extras.precision,
            "--ignore-config": extras.ignoredFields.isEmpty ? nil : extras.ignoredFields.joined(separator: ","),
        ]
    }
}
