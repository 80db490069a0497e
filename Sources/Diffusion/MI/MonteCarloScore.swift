package import Tensors

extension DiffusionModel {
    /// A Monte-Carlo trace of an image that need not have been generated here: at each timestep the latent gets
    /// fresh noise, z_t = √ᾱ_t·z + √(1 − ᾱ_t)·ε, and the predictions with and without the prompt are compared.
    ///
    /// - Parameters:
    ///   - latent: scaled, channels first `[C, h, w]`.
    ///   - prompt: what the image is scored against.
    ///   - timesteps: where to measure.
    ///   - draws: noise samples per timestep; their mean is the trace's value.
    ///   - seed: the noise is a function of seed, timestep and draw alone.
    ///   - progress: told how many timesteps are done; throws to stop.
    /// - Returns: the mean trace, and one trace per draw for error estimates.
    package func monteCarloTrace(
        latent: Tensor, prompt: PromptEmbedding, timesteps: [Int], draws: Int, seed: UInt64,
        progress: (Int) throws(ModelError) -> Void = { _ in }
    ) throws(ModelError) -> (mean: MITrace, draws: [MITrace]) {
        let shape = latent.shape
        let z = latent.reshaped([1] + shape).channelsLast
        let text = PromptEmbedding.batch(
            Array(repeating: emptyPrompt, count: draws) + Array(repeating: prompt, count: draws))
        let added = addedConditions(
            Array(repeating: emptyPrompt, count: draws) + Array(repeating: prompt, count: draws),
            latents: Array(shape.dropFirst()))
        let context = ForwardContext(crossAttention: CrossAttentionCache())
        var byDraw = Array(repeating: [Float](), count: draws)
        for (done, t) in timesteps.enumerated() {
            let alpha = schedule.alphasCumprod[t]
            let noised = (0..<draws).map { draw in
                let stream = UInt64(t) << 32 | UInt64(draw)
                let noise = CounterGenerator(seed: seed, stream: stream).normal(z.shape)
                return z * alpha.squareRoot() + noise * (1 - alpha).squareRoot()
            }
            let output = predictions(concatenateBatch(noised), Float(t), text: text, added: added, in: context)
            let distances = Reduction.squaredDistancePerSample(
                output.batch(draws..<2 * draws), output.batch(0..<draws))
            for (draw, distance) in distances.enumerated() {
                byDraw[draw].append(Float(distance * traceWeight(t, schedule)))
            }
            try progress(done + 1)
        }
        let mean = timesteps.indices.map { index in
            byDraw.reduce(Float(0)) { $0 + $1[index] } / Float(max(draws, 1))
        }
        return (
            MITrace(timesteps: timesteps, deltaSquared: mean),
            byDraw.map { MITrace(timesteps: timesteps, deltaSquared: $0) }
        )
    }
}
