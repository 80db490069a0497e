import Diffusion
package import Tensors

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
        // Prompts in their order, then near misses that are nobody's prompt.
        var (texts, places): ([Int], [Int: Int]) = ([], [:])
        for text in samples.map({ prompts[$0] }) + samples.flatMap({ negatives?[$0] ?? [] }) where places[text] == nil {
            places[text] = texts.count
            texts.append(text)
        }
        return TrainingBatch(
            latents: latents.samples(samples), noise: noise.samples(samples), timesteps: samples.map { timesteps[$0] },
            text: text.samples(texts), prompts: samples.compactMap { places[prompts[$0]] },
            added: added.map { added in
                AddedConditions(pooled: added.pooled.samples(texts), timeIDs: texts.map { added.timeIDs[$0] })
            },
            weights: weights.map { weights in samples.map { weights[$0] } },
            negatives: negatives.map { negatives in samples.map { negatives[$0].compactMap { places[$0] } } },
            losers: losers?.samples(samples), rewards: rewards.map { rewards in samples.map { rewards[$0] } })
    }
}

extension TrainingObjective {
    /// The loss over a microbatch and its gradients, both times `share`.
    ///
    /// - Parameters:
    ///   - batch: the microbatch.
    ///   - policies: the networks that the loss compares; the current one has `parameters`.
    ///   - parameters: what gradients are computed for.
    ///   - share: what the microbatch counts for in the step.
    package func lossAndGradients(
        _ batch: TrainingBatch, _ policies: Policies, parameters: [Tensor], share: Double = 1
    ) -> (loss: Double, gradients: [Tensor]) {
        // A device shares out each op by itself.
        let parts = policies.current.unet.placement.device == .cpu ? batch.parts : [batch]
        let results = Parallel.map(parts.count, large: true) { index in
            let part = parts[index]
            let factor = share * Double(part.timesteps.count) / Double(batch.timesteps.count)
            let loss = self(part, policies)
            let scale = LossScale.factor(
                policies.current.unet.placement.dtype, values: part.latents.count, steepness: steepness,
                share: factor)
            let scaled = Float(factor) * scale
            let found = gradients(of: scaled == 1 ? loss : loss * scaled, for: parameters)
            return (
                loss: Double(loss.scalar) * factor, gradients: scale == 1 ? found : found.map { $0 * (1 / scale) }
            )
        }
        return results.dropFirst().reduce(results[0]) { sum, next in
            (sum.loss + next.loss, Parallel.map(parameters.count) { sum.gradients[$0] + next.gradients[$0] })
        }
    }
}
