package import Diffusion

/// How denoising is done.
package struct DenoisingSettings: Sendable {
    package let steps: Int
    /// The scale of classifier-free guidance; 1 and below: none.
    package var guidance: Double
    package let sampler: SamplerKind
    /// What guidance leads away from, in place of the empty prompt.
    package var negativePrompt: String?
    /// In pixels; nil for the model's own.
    package var width, height: Int?
    /// Last layers of the text encoder to leave out.
    package var clipSkip: Int?
    /// What the trace compares with.
    package var baseline = GenerationRequest.TraceBaseline.emptyPrompt

    package init(steps: Int, guidance: Double, sampler: SamplerKind) {
        (self.steps, self.guidance, self.sampler) = (steps, guidance, sampler)
    }
}
