package import Tensors

/// HN-ITM (Krojer et al., arXiv 2305.16397): the denoising error under the prompt is to be small, that under near-miss
/// prompts large, up to a clamp.
///
/// With e⁺ the mean squared error of a row under its prompt and e⁻ₖ those under its K near misses, for the same noise and
/// timestep: L = e⁺ − (1/K)·Σₖ min(e⁻ₖ, λ·e⁺), where the clamp λ·e⁺ takes no gradient. A row without near misses is
/// trained by e⁺ alone.
package struct ContrastObjective: TrainingObjective {
    private let process: NoisingProcess
    private let clamp: Double

    /// - Parameters:
    ///   - process: how latents become noisy.
    ///   - clamp: λ.
    package init(_ process: NoisingProcess, clamp: Double) { (self.process, self.clamp) = (process, clamp) }

    package func callAsFunction(_ batch: TrainingBatch, _ policies: Policies) -> Tensor {
        let samples = batch.timesteps.count
        let counts = batch.negatives?.map(\.count) ?? Array(repeating: 0, count: samples)
        let slots = counts.max() ?? 0
        // Slot k of all rows is together; a row that has fewer repeats its prompt there, which counts nothing.
        var texts = batch.prompts
        for slot in 0..<slots {
            texts += (0..<samples).map { row in
                slot < counts[row] ? batch.negatives?[row][slot] ?? 0 : batch.prompts[row]
            }
        }
        let noisy = process.noisy(batch.latents, batch.noise, at: batch.timesteps)
        let output = policies.predict(noisy, timesteps: batch.timesteps, batch, texts: texts)
        let target = process.target(batch.latents, batch.noise, at: batch.timesteps).repeated(toBatch: texts.count)
        let weights = process.errorWeights(at: batch.timesteps)
        return errorLoss(output, target) { errors in
            var (value, slopes) = (0.0, Array(repeating: 0.0, count: errors.count))
            for row in 0..<samples {
                let share = (weights?[row] ?? 1) / Double(samples)
                let limit = clamp * errors[row]
                value += share * errors[row]
                slopes[row] = share
                for slot in 0..<counts[row] {
                    let place = (slot + 1) * samples + row
                    let part = share / Double(counts[row])
                    value -= part * min(errors[place], limit)
                    if errors[place] < limit { slopes[place] = -part }
                }
            }
            return (value, slopes)
        }
    }
}
