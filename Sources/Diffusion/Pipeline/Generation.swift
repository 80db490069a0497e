package import Images
package import Tensors

/// One batch of images to generate.
package struct GenerationRequest: Sendable {
    /// What the predictions under the prompts are compared with for the MI trace.
    package enum TraceBaseline: Sendable {
        /// The empty prompt. Where guidance leads away from another prompt, this takes a third prediction at each step.
        case emptyPrompt
        /// The prompt that guidance leads away from, whichever it is.
        case negativePrompt
        /// Nothing: no trace is wanted.
        case none
    }

    /// The prompt of each image.
    package var prompts: [PromptEmbedding]
    /// The seed of each image's own generator; an image depends on its seed, not on its place in the batch.
    package var seeds: [UInt64]
    package var steps: Int
    /// The scale of classifier-free guidance (Ho & Salimans, arXiv 2207.12598); at 1 and below there is none.
    package var guidance: Float
    package var sampler: SamplerKind
    /// What guidance leads away from; nil for the empty prompt.
    package var negative: PromptEmbedding?
    package var baseline = TraceBaseline.emptyPrompt
    /// Nil for the model's own size. Sides are multiples of ``DiffusionModel/sizeUnit``.
    package var size: ImageSize?
    /// Changes to the UNet's linear layers that were not folded into the model, by layer path.
    package var adapters: [String: any LinearAdapter] = [:]

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
    /// Whether latent and image came out as finite numbers; where not, neither is worth keeping.
    package let isFinite: Bool
}

extension DiffusionModel {
    /// Whether a request is guided: above a scale of 1, and not by a model that was distilled to take the scale as an
    /// input.
    package func isGuided(_ guidance: Float) -> Bool { guidance > 1 && unet.configuration.timeCondProjDim == nil }

    /// Generates a batch and reads the MI trace off every guided step.
    ///
    /// Each image draws its noise from a torch-compatible generator of its own, as diffusers does with one CPU
    /// generator per image. Without guidance the prediction under the prompt is the only one, and the trace is NaN.
    ///
    /// - Parameters:
    ///   - request: the prompts, their seeds and the sampler's settings.
    ///   - progress: called after each step with the share of the steps that are done; throws to stop.
    /// - Returns: one generation per prompt, in order.
    package func generate(
        _ request: GenerationRequest, progress: (Double) throws(ModelError) -> Void = { _ in }
    ) throws(ModelError) -> [Generation] {
        guard !request.prompts.isEmpty else { return [] }
        var batch = try Denoising(self, request)
        try batch.advance(to: batch.steps, progress: progress)
        return try batch.generations()
    }

    /// What the UNet says of the same images under several prompts, one after the other.
    ///
    /// - Parameters:
    ///   - images: `[N, h, w, C]`.
    ///   - text: of a multiple of N, `[kN, L, D]`; `added` as many.
    func predictions(
        _ images: Tensor, _ t: Float, text: Tensor, added: AddedConditions?, guidance: Tensor? = nil,
        in context: ForwardContext
    ) -> Tensor {
        // SDXL tells the parts apart from the first layer on.
        let images = added == nil ? images : images.repeated(toBatch: text.shape[0])
        return unet(
            images, timesteps: Array(repeating: t, count: images.shape[0]), text: text, added: added,
            guidance: guidance, in: context)
    }

    /// Turns a squared difference of predictions into one of noise: for v-prediction Δε = √ᾱ_t·Δv.
    func traceWeight(_ t: Int, _ schedule: NoiseSchedule) -> Double {
        guard scheduler.predictionType == .velocity else { return 1 }
        return Double(schedule.alphasCumprod[min(max(t, 0), schedule.count - 1)])
    }
}
