package import Diffusion
package import Tensor

extension TrainingBatch {
    /// Small images in two halves, which cores can take through the whole network without waiting for each other after
    /// every op; larger images, whose ops keep all cores busy for long, as they are.
    ///
    /// How a batch is cut depends on its shape alone, so that gradients do not depend on the number of cores.
    var parts: [TrainingBatch] {
        let samples = timesteps.count
        guard samples > 1, latents.shape[1] * latents.shape[2] <= Self.smallImage else { return [self] }
        return [self[0..<(samples + 1) / 2], self[(samples + 1) / 2..<samples]]
    }

    /// Pixels of a latent up to which ops are too short to share out well.
    private static let smallImage = 32 * 32

    private subscript(range: Range<Int>) -> TrainingBatch {
        TrainingBatch(
            latents: latents.batch(range), noise: noise.batch(range), timesteps: Array(timesteps[range]),
            text: text.batch(range),
            added: added.map { AddedConditions(pooled: $0.pooled.batch(range), timeIDs: Array($0.timeIDs[range])) },
            weights: weights.map { Array($0[range]) })
    }
}

extension DenoisingObjective {
    /// The loss over a microbatch and its gradients, both times `share`.
    ///
    /// - Parameters:
    ///   - adapters: those that `parameters` are bound to.
    ///   - share: what the microbatch counts for in the step.
    package func lossAndGradients(
        _ batch: TrainingBatch, adapters: [String: any LinearAdapter], parameters: [Tensor],
        checkpointing: Bool = false, share: Double = 1
    ) -> (loss: Double, gradients: [Tensor]) {
        let parts = batch.parts
        let results = parallelMap(parts.count, large: true) { index in
            let part = parts[index]
            let factor = share * Double(part.timesteps.count) / Double(batch.timesteps.count)
            let loss = self(part, adapters: adapters, checkpointing: checkpointing)
            return (
                loss: Double(loss.scalar) * factor,
                gradients: gradients(of: factor == 1 ? loss : loss * Float(factor), for: parameters)
            )
        }
        return results.dropFirst().reduce(results[0]) { sum, next in
            (sum.loss + next.loss, parallelMap(parameters.count) { sum.gradients[$0] + next.gradients[$0] })
        }
    }
}
