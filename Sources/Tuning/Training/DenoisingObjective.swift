package import Diffusion
package import Tensor

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
    /// SDXL's pooled embeddings and time ids.
    package let added: AddedConditions?
    /// What each sample's loss is multiplied by; nil for 1.
    package let weights: [Float]?

    /// - Parameters:
    ///   - latents: `[N, h, w, C]`, scaled.
    ///   - noise: `[N, h, w, C]`.
    ///   - timesteps: N of them.
    ///   - text: prompt embeddings, `[T, L, D]`.
    ///   - prompts: which text each sample has, N indices below T; nil where each has its own.
    ///   - added: SDXL's pooled embeddings and time ids; nil for other models.
    ///   - weights: what each sample's loss is multiplied by, N numbers; nil for 1.
    package init(
        latents: Tensor, noise: Tensor, timesteps: [Int], text: Tensor, prompts: [Int]? = nil,
        added: AddedConditions? = nil, weights: [Float]? = nil
    ) {
        self.prompts = prompts ?? Array(timesteps.indices)
        self.weights = weights
        self.latents = latents
        self.noise = noise
        self.timesteps = timesteps
        self.text = text
        self.added = added
    }
}

/// The plain denoising loss: mean squared error between what the UNet says and what was added.
package struct DenoisingObjective: Sendable {
    private let unet: UNet2DConditionModel
    private let schedule: NoiseSchedule
    private let prediction: SchedulerConfiguration.PredictionType

    /// - Parameters:
    ///   - unet: the model.
    ///   - scheduler: the schedule that the model was trained with, and what its output means.
    package init(unet: UNet2DConditionModel, scheduler: SchedulerConfiguration) {
        self.unet = unet
        schedule = NoiseSchedule(scheduler)
        prediction = scheduler.predictionType
    }

    /// The loss over a microbatch, a scalar.
    package func callAsFunction(
        _ batch: TrainingBatch, adapters: [String: any LinearAdapter], checkpointing: Bool = false
    ) -> Tensor {
        let noisy = mixed(batch.latents, batch.noise, at: batch.timesteps) { ($0, $1) }
        let output = unet(
            noisy, timesteps: batch.timesteps.map(Float.init), text: batch.text, added: batch.added,
            in: ForwardContext(adapters: adapters, checkpointing: checkpointing, texts: batch.prompts))
        let target =
            switch prediction {
            case .epsilon: batch.noise
            // v = √ᾱ·ε − √(1−ᾱ)·z
            case .velocity: mixed(batch.latents, batch.noise, at: batch.timesteps) { (-$1, $0) }
            }
        guard let weights = batch.weights else { return meanSquaredError(output, target) }
        return weightedMeanSquaredError(output, target, weights: weights)
    }

    /// a·z + b·ε by samples, where (a, b) comes from (√ᾱ_t, √(1−ᾱ_t)).
    private func mixed(
        _ latents: Tensor, _ noise: Tensor, at timesteps: [Int], _ factors: (Float, Float) -> (Float, Float)
    ) -> Tensor {
        mix(
            latents, noise,
            by: timesteps.map { timestep in
                let kept = schedule.alphasCumprod[timestep]
                return factors(kept.squareRoot(), (1 - kept).squareRoot())
            })
    }
}
