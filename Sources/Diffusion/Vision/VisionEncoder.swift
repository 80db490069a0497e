package import Images
package import Foundation
package import Tensors

/// A vision encoder with its preprocessing: images of any size to features.
package struct VisionEncoder: Sendable {
    /// Kind and digest of what was read: features of two encoders are not comparable.
    package let identity: String
    package let transformer: VisionTransformer
    package let processor: ImageProcessor

    /// Opens a folder of transformers: config.json, preprocessor_config.json and safetensors.
    ///
    /// - Parameters:
    ///   - folder: of CLIP (whole, or its vision part) or DINOv2.
    ///   - variant: which copy of the weights, where there are several.
    ///   - ignored: fields of its files that are taken as if they were not there.
    package init(
        folder: URL, variant: String? = nil, ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        let configuration = try VisionConfiguration(folder: folder, ignoring: ignored)
        processor = try ImageProcessor(folder: folder, ignoring: ignored)
        try ignored.requireUse()
        guard min(processor.width, processor.height) >= configuration.patchSize else {
            throw ModelError(
                .unsupported, at: folder.path,
                "images of \(processor.width)×\(processor.height) pixels are smaller than a patch of "
                    + "\(configuration.patchSize): check preprocessor_config.json")
        }
        transformer = try VisionTransformer(Weights(encoder: folder, variant: variant), configuration)
        let digest = try ModelDigest.compute(encoder: folder, variant: variant)
        identity = "\(configuration.kind.rawValue) \(digest)"
    }

    /// Values of an image's features.
    package var featureSize: Int { transformer.featureSize }

    /// The features of some images, `[N, featureSize]`: CLIP's image embeddings, not normalized, or DINOv2's class token.
    package func callAsFunction(_ images: [RGBImage]) -> Tensor {
        transformer(concatenateBatch(Parallel.map(images.count) { processor(images[$0]) }))
    }
}
