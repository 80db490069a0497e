package import Diffusion
package import Tensors

/// A microbatch with every random draw made.
package struct TrainingBatch: Sendable {
    /// [N, h, w, C], as is the noise.
    package let latents: Tensor
    package let noise: Tensor
    /// [N]
    package let timesteps: [Int]
    /// Prompt embeddings, [T, L, D].
    package let text: Tensor
    /// Which of them each sample has, [N].
    package let prompts: [Int]
    /// SDXL's pooled embeddings and time ids of each text, T of them.
    package let added: AddedConditions?
    /// What each sample's loss is multiplied by; nil for 1.
    package let weights: [Float]?
    /// Near-miss prompts of each sample: texts, N lists. Nil for losses without.
    package let negatives: [[Int]]?
    /// The worse image of each pair, of which `latents` has the better: [N, h, w, C].
    package let losers: Tensor?
    /// Each sample's reward in 0…1.
    package let rewards: [Float]?

    /// - Parameters:
    ///   - latents: `[N, h, w, C]`, scaled.
    ///   - noise: `[N, h, w, C]`.
    ///   - timesteps: N of them.
    ///   - text: prompt embeddings, `[T, L, D]`.
    ///   - prompts: which text each sample has, N indices below T; nil where each has its own.
    ///   - added: SDXL's pooled embeddings and time ids of each text; nil for other models.
    ///   - weights: what each sample's loss is multiplied by, N numbers; nil for 1.
    ///   - negatives: near-miss prompts of each sample, N lists of indices below T.
    ///   - losers: `[N, h, w, C]`, the worse image of each pair.
    ///   - rewards: N numbers in 0…1.
    package init(
        latents: Tensor, noise: Tensor, timesteps: [Int], text: Tensor, prompts: [Int]? = nil,
        added: AddedConditions? = nil, weights: [Float]? = nil, negatives: [[Int]]? = nil, losers: Tensor? = nil,
        rewards: [Float]? = nil
    ) {
        self.prompts = prompts ?? Array(timesteps.indices)
        (self.latents, self.noise, self.timesteps) = (latents, noise, timesteps)
        (self.text, self.added, self.weights) = (text, added, weights)
        (self.negatives, self.losers, self.rewards) = (negatives, losers, rewards)
    }
}
