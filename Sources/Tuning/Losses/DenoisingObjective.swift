package import Tensors

/// The diffusion loss: mean squared error between what the UNet says and what was added, times each sample's weight
/// where the batch has weights.
package struct DenoisingObjective: TrainingObjective {
    private let process: NoisingProcess

    package init(_ process: NoisingProcess) { self.process = process }

    package func callAsFunction(_ batch: TrainingBatch, _ policies: Policies) -> Tensor {
        let noisy = process.noisy(batch.latents, batch.noise, at: batch.timesteps)
        let output = policies.predict(noisy, timesteps: batch.timesteps, batch, texts: batch.prompts)
        let target = process.target(batch.latents, batch.noise, at: batch.timesteps)
        var weights = batch.weights
        if let errorWeights = process.errorWeights(at: batch.timesteps) {
            weights = errorWeights.indices.map { Float(errorWeights[$0] * Double(weights?[$0] ?? 1)) }
        }
        guard let weights else { return meanSquaredError(output, target) }
        return weightedMeanSquaredError(output, target, weights: weights)
    }
}
