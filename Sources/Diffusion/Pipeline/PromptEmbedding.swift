package import Tensors

/// What a model's text encoders make of one prompt.
package struct PromptEmbedding: Sendable {
    /// `[L, D]`.
    package let tokens: Tensor
    /// `[P]`, in models that want a pooled embedding (SDXL).
    package let pooled: Tensor?
    /// Whether the prompt was too long for the model and its end was cut off.
    package let isTruncated: Bool

    package init(tokens: Tensor, pooled: Tensor? = nil, isTruncated: Bool = false) {
        (self.tokens, self.pooled, self.isTruncated) = (tokens, pooled, isTruncated)
    }

    /// Embeddings of several samples as the UNet takes them: `[N, L, D]`.
    package static func batch(_ prompts: [PromptEmbedding]) -> Tensor {
        concatenateBatch(prompts.map { $0.tokens.reshaped([1] + $0.tokens.shape) })
    }
}
