import CorpusStore
package import Diffusion

/// Prompt embeddings, computed once per prompt and kept while neighboring batches use them.
package struct EmbeddingCache: Sendable {
    private var known: [ExactText: PromptEmbedding] = [:]
    /// Prompts whose end the model did not read, since the last time someone asked.
    private var truncated: [String] = []

    package init() {}

    package mutating func embeddings(
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
    package mutating func takeWarnings() -> [String] {
        defer { truncated = [] }
        return truncated.map { "warning: the model reads only the beginning of this prompt: \($0.prefix(60))…" }
    }
}
