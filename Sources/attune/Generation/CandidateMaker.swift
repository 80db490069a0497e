import ArgumentParser
import Corpus
import Diffusion

/// A loaded model, the adapter folded into it, and how its images are made.
struct CandidateMaker {
    let model: DiffusionModel
    /// The digest of the adapter's file.
    let adapter: String?
    let settings: DenoisingSettings
    /// Nil for the model's own.
    let size: ImageSize?
    /// What belongs to the recipe where it is not as usual.
    let extras: RecipeExtras
    private let negative: PromptEmbedding?

    init(_ options: ModelOptions, _ settings: DenoisingSettings) throws {
        let (model, adapter) = try options.load(for: .sampling(settings.sampler))
        (self.model, self.adapter) = (model, adapter)
        try requireSteps(settings.steps, model)
        // A sampler that cannot do it says so before any work.
        _ = try settings.sampler.make(model.scheduler, steps: settings.steps)
        self.settings = settings
        let image = settings.image
        size = try Self.size(image, model)
        let skipped = image.clipSkip ?? 0
        guard skipped <= model.skippableLayers else {
            throw ValidationError(
                "--clip-skip is \(skipped); the model's text encoder can leave out \(model.skippableLayers) layers at most"
            )
        }
        // SDXL alone tells an empty negative prompt from none.
        let text = image.negativePrompt.flatMap { $0.isEmpty && !model.isXL ? nil : $0 }
        guard text == nil || model.isGuided(Float(settings.guidance)) else {
            throw ValidationError(
                "--negative-prompt does nothing with this model: it was distilled to take the guidance scale in; leave it "
                    + "out")
        }
        negative = text.map { model.encode(prompts: [$0])[0] }
        extras = RecipeExtras(
            negativePrompt: text, clipSkip: skipped,
            tracesNegativePrompt: text != nil && settings.baseline == .negativePrompt,
            ignoredFields: model.ignoredFields)
        if let name = model.scheduler.distilledClass, settings.sampler != .lcm {
            standardError(
                "warning: \(name) in the model's scheduler says that it was distilled; its images "
                    + "are made with --sampler lcm --steps 4 --guidance 1 or the like")
        }
    }

    private static func size(_ image: ImageOptions, _ model: DiffusionModel) throws -> ImageSize? {
        guard image.width != nil || image.height != nil else { return nil }
        let size = ImageSize(
            width: image.width ?? model.imageSize.width, height: image.height ?? model.imageSize.height)
        for (side, option) in [(size.width, "--width"), (size.height, "--height")] where side % model.sizeUnit != 0 {
            throw ValidationError("\(option) is \(side); for this model it must be a multiple of \(model.sizeUnit)")
        }
        return size == model.imageSize ? nil : size
    }

    /// The size of its images.
    var imageSize: ImageSize { size ?? model.imageSize }

    /// Makes a batch.
    ///
    /// - Parameters:
    ///   - cache: embeddings of the batch before; candidates of a prompt follow each other.
    ///   - progress: told the share of the denoising steps that are done.
    func make(
        _ batch: [Candidate], cache: inout EmbeddingCache, progress: (Double) -> Void
    ) throws(ModelError) -> [Generation] {
        let embeddings = cache.embeddings(of: batch.map(\.prompt), model, skipping: extras.clipSkip)
        var request = GenerationRequest(
            prompts: embeddings, seeds: batch.map(\.seed), steps: settings.steps, guidance: Float(settings.guidance),
            sampler: settings.sampler)
        (request.negative, request.size, request.baseline) = (negative, size, settings.baseline)
        return try model.generate(request) { (share: Double) throws(ModelError) in progress(share) }
    }

    /// Why a generation that came out without finite numbers is not kept.
    static func complaint(_ candidate: Candidate) -> String {
        "prompt \"\(oneLine(String(candidate.prompt.prefix(80))))\", seed \(candidate.seed): the image came out with values "
            + "that are not finite numbers and is not kept; check the model and the adapter for NaN, or lower --guidance"
    }
}

/// How denoising is done.
struct DenoisingSettings {
    let steps: Int
    let guidance: Double
    let sampler: SamplerKind
    var image = ImageOptions()
    /// What the trace compares with.
    var baseline = GenerationRequest.TraceBaseline.emptyPrompt
}

/// Prompt embeddings, computed once per prompt and kept while neighboring batches use them.
struct EmbeddingCache {
    private var known: [ExactText: PromptEmbedding] = [:]
    /// Prompts whose end the model did not read, since the last time someone asked.
    private var truncated: [String] = []

    mutating func embeddings(
        of prompts: [String], _ model: DiffusionModel, skipping: Int = 0
    ) -> [PromptEmbedding] {
        let prompts = prompts.map { ExactText($0) }
        var kept: [ExactText: PromptEmbedding] = [:]
        var missing: [ExactText] = []
        for prompt in prompts where kept[prompt] == nil && !missing.contains(prompt) {
            if let embedding = known[prompt] { kept[prompt] = embedding } else { missing.append(prompt) }
        }
        for (prompt, embedding) in zip(missing, model.encode(prompts: missing.map(\.text), skipping: skipping)) {
            kept[prompt] = embedding
            if embedding.isTruncated { truncated.append(prompt.text) }
        }
        known = kept
        return prompts.compactMap { kept[$0] }
    }

    /// Warnings about prompts that were cut since the last call.
    mutating func takeWarnings() -> [String] {
        defer { truncated = [] }
        return truncated.map { "warning: the model reads only the beginning of this prompt: \($0.prefix(60))…" }
    }
}
