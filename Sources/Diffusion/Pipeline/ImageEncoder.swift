package import Images
package import Foundation
package import Tensors

/// The part of a model that turns images into latents: its VAE, without the network that denoises.
package struct ImageEncoder: Sendable {
    /// Of the whole model, as ``DiffusionModel/digest``: the latents are for it.
    package let digest: String
    /// Width and height of the images that the model makes, in pixels.
    package let imageSize: Int
    private let vae: AutoencoderKL

    package init(
        folder: URL, variant: String? = nil, ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        let index = try ModelIndex(checking: folder, variant: variant)
        let unet = try UNetConfiguration(folder: folder.appendingPathComponent("unet"), ignoring: ignored)
        vae = try AutoencoderKL(
            folder: folder.appendingPathComponent("vae"), variant: variant, isXL: index.isXL, ignoring: ignored)
        try ignored.requireUse()
        imageSize = min(unet.sampleHeight, unet.sampleWidth) * vae.configuration.reduction
        digest = try ModelDigest.compute(folder: folder, variant: variant)
    }

    /// What an image's sides must be multiples of.
    package var reduction: Int { vae.configuration.reduction }

    /// Images of one size to the means of their latents, scaled, `[N, h, w, C]`.
    package func encode(_ images: [RGBImage]) -> Tensor { vae.encode(images) }
}

extension AutoencoderKL {
    /// Images to the means of their latents, scaled, one at a time so that memory stays bounded.
    func encode(_ images: [RGBImage]) -> Tensor {
        let channels = configuration.latentChannels
        let scale = configuration.scalingFactor
        return concatenateBatch(
            images.map { image in
                let means = moments(image.tensor).moved(to: .cpu).channels(0..<channels)
                guard let mean = configuration.latentsMean, let deviation = configuration.latentsStd else {
                    return means * scale
                }
                return means.standardized(mean: mean, deviation: deviation, scale: scale)
            })
    }
}
