package import Tensor

/// One batch of images to generate.
package struct GenerationRequest: Sendable {
    /// The prompt of each image.
    package var prompts: [PromptEmbedding]
    /// The seed of each image's own generator; an image depends on its seed, not on its place in the batch.
    package var seeds: [UInt64]
    package var steps: Int
    /// The scale of classifier-free guidance (Ho & Salimans, arXiv 2207.12598).
    package var guidance: Float
    package var sampler: SamplerKind

    package init(prompts: [PromptEmbedding], seeds: [UInt64], steps: Int, guidance: Float, sampler: SamplerKind) {
        precondition(prompts.count == seeds.count, "\(prompts.count) prompts for \(seeds.count) seeds")
        (self.prompts, self.seeds, self.steps) = (prompts, seeds, steps)
        (self.guidance, self.sampler) = (guidance, sampler)
    }
}

/// One generated image with what it was made from and what was measured on the way.
package struct Generation: Sendable {
    /// The scaled latent, channels first `[C, h, w]` as diffusers has it.
    package let latent: Tensor
    package let image: RGBImage
    package let trace: MITrace
}

extension DiffusionModel {
    /// Generates a batch and reads the MI trace off every guided step.
    ///
    /// Each image draws its noise from a torch-compatible generator of its own, as diffusers does with one CPU
    /// generator per image.
    ///
    /// - Parameter progress: called after each step with the number of steps done; throws to stop.
    /// - Returns: one generation a prompt, in order.
    package func generate(
        _ request: GenerationRequest, progress: (Int) throws(ModelError) -> Void = { _ in }
    ) throws(ModelError) -> [Generation] {
        let count = request.prompts.count
        guard count > 0 else { return [] }
        var sampler = try request.sampler.make(scheduler, steps: request.steps)
        var generators = request.seeds.map { TorchGenerator(seed: $0) }
        let shape = latentShape
        func noise() -> Tensor {
            concatenateBatch(generators.indices.map { generators[$0].normal([1] + shape) }).channelsLast
        }
        let guided = Array(repeating: emptyPrompt, count: count) + request.prompts
        let (text, added) = (PromptEmbedding.batch(guided), addedConditions(guided))
        let context = ForwardContext(crossAttention: CrossAttentionCache())
        var deltas = Array(repeating: [Float](), count: count)
        var z = noise() * sampler.initialNoiseScale
        for (step, t) in sampler.timesteps.enumerated() {
            let input = sampler.scaleInput(z, step: step)
            let output = predictions(input, t, text: text, added: added, in: context)
            let (unconditional, conditional) = (output.batch(0..<count), output.batch(count..<2 * count))
            let weight = traceWeight(t)
            for (row, distance) in Reduction.squaredDistancePerSample(conditional, unconditional).enumerated() {
                deltas[row].append(Float(distance * weight))
            }
            let guidedOutput = unconditional + (conditional - unconditional) * request.guidance
            z = sampler.step(modelOutput: guidedOutput, step: step, sample: z, noise: noise)
            try progress(step + 1)
        }
        let timesteps = sampler.timesteps.map { Int($0) }
        let latents = z.channelsFirst
        return zip(decode(z), deltas).enumerated().map { row, made in
            Generation(
                latent: latents.batch(row..<row + 1).reshaped(shape), image: made.0,
                trace: MITrace(timesteps: timesteps, deltaSquared: made.1))
        }
    }

    /// What the UNet says of the same images under no prompt and under theirs, one after the other.
    ///
    /// - Parameters:
    ///   - images: `[N, h, w, C]`.
    ///   - text: `[2N, L, D]`; `added` as many.
    func predictions(
        _ images: Tensor, _ t: Float, text: Tensor, added: AddedConditions?, in context: ForwardContext
    ) -> Tensor {
        // SDXL tells the halves apart from the first layer on.
        let images = added == nil ? images : images.repeated(2)
        return unet(
            images, timesteps: Array(repeating: t, count: images.shape[0]), text: text, added: added, in: context)
    }

    /// Turns a squared difference of predictions into one of noise: for v-prediction Δε = √ᾱ_t·Δv.
    func traceWeight(_ t: Float) -> Double {
        guard scheduler.predictionType == .velocity else { return 1 }
        return Double(schedule.alphasCumprod[min(Int(t), schedule.count - 1)])
    }
}
