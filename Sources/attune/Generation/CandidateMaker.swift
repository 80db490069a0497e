import Corpus
import Diffusion

/// A loaded model, the adapter folded into it, and how its images are made.
struct CandidateMaker {
    let model: DiffusionModel
    /// The digest of the adapter's file.
    let adapter: String?
    let steps: Int
    let guidance: Double
    let sampler: SamplerKind

    init(_ options: ModelOptions, _ denoising: DenoisingSettings) throws {
        (model, adapter) = try options.load()
        try requireSteps(denoising.steps, model)
        steps = denoising.steps
        guidance = denoising.guidance
        sampler = denoising.sampler
    }

    /// Makes a batch.
    ///
    /// - Parameters:
    ///   - cache: embeddings of the batch before; candidates of a prompt follow each other.
    ///   - progress: told of each denoising step.
    func make(
        _ batch: [Candidate], cache: inout EmbeddingCache, progress: (Int) -> Void
    ) throws(ModelError) -> [Generation] {
        let embeddings = cache.embeddings(of: batch.map(\.prompt), model)
        let request = GenerationRequest(
            prompts: embeddings, seeds: batch.map(\.seed), steps: steps, guidance: Float(guidance), sampler: sampler)
        return try model.generate(request) { (step: Int) throws(ModelError) in progress(step) }
    }
}

/// How denoising is done.
struct DenoisingSettings {
    let steps: Int
    let guidance: Double
    let sampler: SamplerKind
}

/// Prompt embeddings, computed once a prompt and kept while neighbouring batches use them.
struct EmbeddingCache {
    private var known: [ExactText: PromptEmbedding] = [:]
    /// Prompts whose end the model did not read, since the last time someone asked.
    private var truncated: [String] = []

    mutating func embeddings(of prompts: [String], _ model: DiffusionModel) -> [PromptEmbedding] {
        let prompts = prompts.map { ExactText($0) }
        var kept: [ExactText: PromptEmbedding] = [:]
        var missing: [ExactText] = []
        for prompt in prompts where kept[prompt] == nil && !missing.contains(prompt) {
            if let embedding = known[prompt] { kept[prompt] = embedding } else { missing.append(prompt) }
        }
        for (prompt, embedding) in zip(missing, model.encode(prompts: missing.map(\.text))) {
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
