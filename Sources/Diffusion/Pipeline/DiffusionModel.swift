package import Foundation
package import Tensor

/// A text-to-image model in the diffusers folder layout: SD-1.x, SD-2.x or SDXL.
package struct DiffusionModel: Sendable {
    package let folder: URL
    /// `sha256:…` over the files that were read (``ModelDigest``); an adapter that was folded in does not change it.
    package let digest: String
    package let unet: UNet2DConditionModel
    package let vae: AutoencoderKL
    package let scheduler: SchedulerConfiguration
    package let schedule: NoiseSchedule
    /// What stands for "no prompt" in guidance.
    package let emptyPrompt: PromptEmbedding
    private let text: TextConditioner

    /// Reads the whole model.
    ///
    /// - Parameters:
    ///   - variant: which copy of the weights, such as `fp16`; nil for the plain one, or the only one that is there.
    ///   - adapter: folded into the weights of the UNet and the text encoders.
    ///   - lowMemory: weights stored as float16 or bfloat16 are kept so and widened at each use. The results are the same.
    /// - Throws: ``ModelError`` naming the file or tensor that is missing, damaged or does not fit.
    package static func load(
        from folder: URL, variant: String? = nil, adapter: (any WeightFolding)? = nil, lowMemory: Bool = false
    ) throws(ModelError) -> DiffusionModel {
        try DiffusionModel(folder: folder, variant: variant, adapter: adapter, lowMemory: lowMemory)
    }

    private init(
        folder: URL, variant: String?, adapter: (any WeightFolding)?, lowMemory: Bool
    ) throws(ModelError) {
        self.folder = folder
        text = try TextConditioner(folder: folder, variant: variant, folding: adapter, lowMemory: lowMemory)
        scheduler = try SchedulerConfiguration(folder: folder.appendingPathComponent("scheduler"))
        schedule = NoiseSchedule(scheduler)
        unet = try UNet2DConditionModel(
            folder: folder.appendingPathComponent("unet"), variant: variant, folding: adapter, lowMemory: lowMemory)
        vae = try AutoencoderKL(
            folder: folder.appendingPathComponent("vae"), variant: variant, lowMemory: lowMemory)
        digest = try ModelDigest.compute(folder: folder, variant: variant)
        emptyPrompt = text.emptyPrompt
        try checkParts()
    }

    /// Parts that are sound each by itself must fit each other, or generation would stop halfway.
    private func checkParts() throws(ModelError) {
        func require(_ holds: Bool, _ otherwise: String) throws(ModelError) {
            if !holds { throw ModelError(.wrongShape, at: folder.path, otherwise) }
        }
        let text = emptyPrompt.tokens.channels
        let configuration = unet.configuration
        try require(
            text == configuration.crossAttentionDim,
            "text embeddings of width \(text) do not fit a UNet of cross_attention_dim "
                + "\(configuration.crossAttentionDim)")
        let latent = vae.configuration.latentChannels
        try require(
            configuration.inChannels == latent && configuration.outChannels == latent,
            "a UNet from \(configuration.inChannels) to \(configuration.outChannels) channels does not fit a VAE of "
                + "\(latent) latent channels (inpainting and video models are not supported)")
        guard configuration.additionEmbedType == "text_time" else { return }
        let added = (emptyPrompt.pooled?.count ?? 0) + 6 * (configuration.additionTimeEmbedDim ?? 0)
        try require(
            emptyPrompt.pooled != nil && added == configuration.projectionClassEmbeddingsInputDim,
            "the UNet wants a pooled text embedding and six numbers, "
                + "\(configuration.projectionClassEmbeddingsInputDim ?? 0) values in all, and gets \(added)")
    }

    /// Channels, height and width of a latent.
    package var latentShape: [Int] {
        [unet.configuration.inChannels, unet.configuration.sampleSize, unet.configuration.sampleSize]
    }

    /// Width and height of an image in pixels.
    package var imageSize: Int { unet.configuration.sampleSize * vae.configuration.reduction }

    package func encode(prompts: [String]) -> [PromptEmbedding] { text.encode(prompts) }

    /// What SDXL is told beside text and timestep; nil for other models.
    package func addedConditions(_ prompts: [PromptEmbedding]) -> AddedConditions? {
        guard unet.configuration.additionEmbedType == "text_time" else { return nil }
        let pooled = prompts.compactMap { $0.pooled.map { $0.reshaped([1, $0.count]) } }
        let side = Float(imageSize)
        return AddedConditions(
            pooled: concatenateBatch(pooled), timeIDs: prompts.map { _ in [side, side, 0, 0, side, side] })
    }

    /// Scaled latents `[N, h, w, C]` to images, a few at a time so that memory stays bounded.
    package func decode(_ latents: Tensor) -> [RGBImage] {
        let count = latents.shape[0]
        let group = max(1, (1 << 20) / (imageSize * imageSize))
        let (scale, shift) = (vae.configuration.scalingFactor, vae.configuration.shiftFactor ?? 0)
        return stride(from: 0, to: count, by: group).flatMap { first in
            let part = latents.batch(first..<min(first + group, count)) * (1 / scale)
            let pixels = vae.decode(shift == 0 ? part : part + Tensor(filled: shift, shape: part.shape))
            return (0..<pixels.shape[0]).map { RGBImage(pixels, index: $0) }
        }
    }

    /// Images to the means of their latents, scaled, `[N, h, w, C]`; sides are multiples of the VAE's reduction.
    package func encode(images: [RGBImage]) -> Tensor { vae.encode(images) }
}
