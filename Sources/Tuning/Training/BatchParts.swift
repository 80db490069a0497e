package import Diffusion
package import Tensor

extension TrainingBatch {
    /// Small images in two halves, which cores can take through the whole network without waiting for each other after
    /// every op; larger images, whose ops keep all cores busy for long, as they are. Samples of one prompt come together,
    /// so that its keys and values are computed in one half only.
    ///
    /// How a batch is cut depends on its shape and prompts alone, so that gradients do not depend on the number of cores.
    package var parts: [TrainingBatch] {
        let samples = timesteps.count
        guard samples > 1, latents.shape[1] * latents.shape[2] <= Self.smallImage else { return [self] }
        let order = (0..<samples).sorted { (prompts[$0], $0) < (prompts[$1], $1) }
        let middle = (samples + 1) / 2
        return [self[Array(order[..<middle])], self[Array(order[middle...])]]
    }

    /// Pixels of a latent up to which ops are too short to share out well.
    private static let smallImage = 32 * 32

    /// Some of the samples, which are in the order of their prompts.
    private subscript(samples: [Int]) -> TrainingBatch {
        var texts: [Int] = []
        for sample in samples where texts.last != prompts[sample] { texts.append(prompts[sample]) }
        return TrainingBatch(
            latents: latents.samples(samples), noise: noise.samples(samples), timesteps: samples.map { timesteps[$0] },
            text: text.samples(texts), prompts: samples.compactMap { texts.firstIndex(of: prompts[$0]) },
            added: added.map { added in
                AddedConditions(pooled: added.pooled.samples(samples), timeIDs: samples.map { added.timeIDs[$0] })
            },
            weights: weights.map { weights in samples.map { weights[$0] } })
    }
}

extension DenoisingObjective {
    /// The loss over a microbatch and its gradients, both times `share`.
    ///
    /// - Parameters:
    ///   - batch: the microbatch.
    ///   - adapters: those that `parameters` are bound to, by layer path.
    ///   - parameters: what gradients are computed for.
    ///   - checkpointing: whether transformer blocks are run again in the backward pass instead of keeping activations.
    ///   - share: what the microbatch counts for in the step.
    package func lossAndGradients(
        _ batch: TrainingBatch, adapters: [String: any LinearAdapter], parameters: [Tensor],
        checkpointing: Bool = false, share: Double = 1
    ) -> (loss: Double, gradients: [Tensor]) {
        let parts = batch.parts
        let results = Parallel.map(parts.count, large: true) { index in
            let part = parts[index]
            let factor = share * Double(part.timesteps.count) / Double(batch.timesteps.count)
            let loss = self(part, adapters: adapters, checkpointing: checkpointing)
            return (
                loss: Double(loss.scalar) * factor,
                gradients: gradients(of: factor == 1 ? loss : loss * Float(factor), for: parameters)
            )
        }
        return results.dropFirst().reduce(results[0]) { sum, next in
            (sum.loss + next.loss, Parallel.map(parameters.count) { sum.gradients[$0] + next.gradients[$0] })
        }
    }
}
