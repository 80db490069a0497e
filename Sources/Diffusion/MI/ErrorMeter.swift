package import Tensors

/// Measures denoising errors of images under one prompt and its near misses.
///
/// What depends on the prompts alone is computed once, so a meter serves all images of a prompt.
package final class ErrorMeter {
    private let model: DiffusionModel
    private let prompts: [PromptEmbedding]
    private let timesteps: [Int]
    private let draws: Int
    private let seed: UInt64
    /// Prompts that go through the UNet together, with what passes under them share.
    private var groups: [(prompts: Range<Int>, text: Tensor, context: ForwardContext)] = []
    private var latentShape: [Int] = []

    /// UNet inputs that are computed together, in values of a latent: more would only cost memory.
    private static let most = 1 << 17

    /// - Parameters:
    ///   - model: what predicts the noise.
    ///   - prompt: of the images.
    ///   - negatives: prompts that are nearly so.
    ///   - timesteps: where to measure, from noisy to clean.
    ///   - draws: noise samples per timestep.
    ///   - seed: the noise is a function of seed, timestep and draw alone: all images and prompts see the same.
    package init(
        _ model: DiffusionModel, prompt: PromptEmbedding, negatives: [PromptEmbedding], timesteps: [Int], draws: Int,
        seed: UInt64
    ) {
        precondition(draws > 0, "no noise to measure with")
        self.model = model
        prompts = [prompt, model.emptyPrompt] + negatives
        (self.timesteps, self.draws, self.seed) = (timesteps, draws, seed)
    }

    /// - Parameters:
    ///   - latent: scaled, channels first `[C, h, w]`.
    ///   - places: of the timesteps to measure at; nil for all.
    ///   - progress: told how many timesteps are done; throws to stop.
    /// - Returns: the errors, and the trace ‖ε̂(z_t, p, t) − ε̂(z_t, ∅, t)‖² of each draw.
    package func measure(
        latent: Tensor, at places: [Int]? = nil, progress: (Int) throws(ModelError) -> Void = { _ in }
    ) throws(ModelError) -> (errors: DenoisingErrors, draws: [MITrace]) {
        let shape = latent.shape
        prepare(shape)
        let timesteps = places?.map { self.timesteps[$0] } ?? self.timesteps
        let z = latent.reshaped([1] + shape).channelsLast
        var values = [Float](repeating: 0, count: draws * timesteps.count * prompts.count)
        var deltas = Array(repeating: [Float](), count: draws)
        for (step, t) in timesteps.enumerated() {
            let alpha = model.schedule.alphasCumprod[t]
            let (kept, added) = (alpha.squareRoot(), (1 - alpha).squareRoot())
            let noises = (0..<draws).map { draw in
                CounterGenerator(seed: seed, stream: UInt64(t) << 32 | UInt64(draw)).normal(z.shape)
            }
            let noised = concatenateBatch(noises.map { z * kept + $0 * added })
            // What the UNet was trained to say.
            let isVelocity = model.scheduler.predictionType == .velocity
            let target = concatenateBatch(noises.map { isVelocity ? $0 * kept + z * -added : $0 })
            let weight = model.traceWeight(t, model.schedule)
            // The prompt and the empty prompt are in the first group.
            for group in groups {
                let texts = group.prompts.flatMap { Array(repeating: prompts[$0], count: draws) }
                let output = model.predictions(
                    noised, Float(t), text: group.text,
                    added: model.addedConditions(texts, latents: Array(shape.dropFirst())), in: group.context)
                for (place, prompt) in group.prompts.enumerated() {
                    let own = output.batch(place * draws..<(place + 1) * draws)
                    for (draw, error) in Reduction.squaredDistancePerSample(own, target).enumerated() {
                        values[(draw * timesteps.count + step) * prompts.count + prompt] = Float(error * weight)
                    }
                }
                guard group.prompts.lowerBound == 0 else { continue }
                let distances = Reduction.squaredDistancePerSample(
                    output.batch(0..<draws), output.batch(draws..<2 * draws))
                for (draw, distance) in distances.enumerated() { deltas[draw].append(Float(distance * weight)) }
            }
            try model.checkDevice()
            try progress(step + 1)
        }
        return (
            DenoisingErrors(timesteps: timesteps, draws: draws, prompts: prompts.count, values: values),
            deltas.map { MITrace(timesteps: timesteps, deltaSquared: $0) }
        )
    }

    private func prepare(_ shape: [Int]) {
        guard shape != latentShape else { return }
        latentShape = shape
        let size = max(2, Self.most / max(1, draws * shape.reduce(1, *)))
        groups = stride(from: 0, to: prompts.count, by: size).map { start in
            let part = start..<min(start + size, prompts.count)
            let texts = part.flatMap { Array(repeating: prompts[$0], count: draws) }
            return (part, PromptEmbedding.batch(texts), ForwardContext(crossAttention: CrossAttentionCache()))
        }
    }
}
