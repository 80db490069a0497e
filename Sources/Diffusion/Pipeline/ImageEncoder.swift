package import Foundation
package import Tensor

/// The part of a model that turns images into latents: its VAE, without the network that denoises.
package struct ImageEncoder: Sendable {
    /// Of the whole model, as ``DiffusionModel/digest``: the latents are for it.
    package let digest: String
    /// Width and height of the images that the model makes, in pixels.
    package let imageSize: Int
    private let vae: AutoencoderKL

    package init(folder: URL) throws(ModelError) {
        let unet = try readConfiguration(
            UNetConfiguration.self, folder.appendingPathComponent("unet").appendingPathComponent("config.json"))
        vae = try AutoencoderKL(folder: folder.appendingPathComponent("vae"))
        imageSize = unet.sampleSize * vae.configuration.reduction
        digest = try ModelDigest.compute(folder: folder)
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
        let (scale, shift) = (configuration.scalingFactor, configuration.shiftFactor ?? 0)
        return concatenateBatch(
            images.map { image in
                (moments(image.tensor).channels(0..<channels) + -shift) * scale
            })
    }
}
