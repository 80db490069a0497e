package import Images
package import Foundation
package import Tensors

/// A text-to-image model in the diffusers folder layout: SD-1.x, SD-2.x or SDXL.
///
/// ```swift
/// let model = try DiffusionModel.load(from: URL(fileURLWithPath: "datasets/tiny-sd"))
/// let request = GenerationRequest(
///     prompts: model.encode(prompts: ["a red circle"]), seeds: [42], steps: 25, guidance: 3, sampler: .ddim)
/// let made = try model.generate(request)[0]
/// let mi = MeanKappaEstimator().estimate(made.trace, schedule: model.schedule).value
/// ```
package struct DiffusionModel: Sendable {
    package let folder: URL
    /// Whether it is an SDXL model.
    package let isXL: Bool
    /// Fields of its files that were left out on request, where that counts.
    package let ignoredFields: [String]
    /// `sha256:…` over the files that were read (``ModelDigest``); an adapter that was folded in does not change it.
    package let digest: String
    package private(set) var unet: UNet2DConditionModel
    package let vae: AutoencoderKL
    package let scheduler: SchedulerConfiguration
    package let schedule: NoiseSchedule
    /// What stands for "no prompt" in guidance.
    package let emptyPrompt: PromptEmbedding
    /// What products of the UNet, the VAE and the text encoders are computed in. With float16 the VAE stays float32, since
    /// activations of some (SDXL's) do not fit.
    package let precision: Precision
    /// Where they compute.
    package let device: Device
    /// The same as recipes and runs record it: nil for float32.
    package var recordedPrecision: String? { precision == .float32 ? nil : precision.rawValue }
    /// What computes, as manifests and scorers record it: the kind of device and PyTorch's version; nil for the CPU's own loops.
    package var recordedEngine: String? {
        guard case .torch(let torch) = device else { return nil }
        return "\(torch.kind.rawValue) \(TorchLibrary.opened?.version ?? "")"
    }
    private let text: TextConditioner

    /// Reads the whole model.
    ///
    /// - Parameters:
    ///   - folder: the model, in diffusers' layout.
    ///   - use: what the noise schedule is for: fields of the scheduler's file that this does not follow are refused.
    ///   - variant: which copy of the weights, such as `fp16`; nil for the plain one, or the only one that is there.
    ///   - adapter: folded into the weights of the UNet and the text encoders.
    ///   - lowMemory: weights stored as float16 or bfloat16 are kept so and widened at each use. The results are the same.
    ///   - precision: what products are computed in; with bfloat16, `lowMemory` changes nothing. float16 is for devices.
    ///   - device: where networks compute; opened before.
    ///   - digest: of the files, where it is known; else they are read for it.
    ///   - ignored: fields of the model's files that are taken as if they were not there.
    /// - Throws: ``ModelError`` naming the file or tensor that is missing, damaged or does not fit.
    package static func load(
        from folder: URL, for use: SchedulerUse = .noising, variant: String? = nil,
        adapter: (any WeightFolding)? = nil, lowMemory: Bool = false, precision: Precision = .float32,
        device: Device = .cpu, digest: String? = nil, ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) -> DiffusionModel {
        try DiffusionModel(
            folder: folder, use: use, variant: variant, adapter: adapter, lowMemory: lowMemory, precision: precision,
            device: device, digest: digest, ignored: ignored)
    }

    private init(
        folder: URL, use: SchedulerUse, variant: String?, adapter: (any WeightFolding)?, lowMemory: Bool,
        precision: Precision, device: Device, digest known: String?, ignored: IgnoredFields
    ) throws(ModelError) {
        self.folder = folder
        (self.precision, self.device) = (precision, device)
        let index = try ModelIndex(checking: folder, variant: variant)
        isXL = index.isXL
        // The small files first: what they say may stop everything.
        scheduler = try Self.scheduler(folder, index, for: use, ignored)
        schedule = NoiseSchedule(scheduler)
        text = try TextConditioner(
            index, folder: folder, variant: variant, folding: adapter, lowMemory: lowMemory, precision: precision,
            device: device, ignoring: ignored)
        unet = try UNet2DConditionModel(
            folder: folder.appendingPathComponent("unet"), variant: variant, folding: adapter, lowMemory: lowMemory,
            precision: precision, device: device, ignoring: ignored)
        vae = try AutoencoderKL(
            folder: folder.appendingPathComponent("vae"), variant: variant, lowMemory: lowMemory,
            precision: precision == .float16 ? .float32 : precision, device: device, isXL: isXL, ignoring: ignored)
        try ignored.requireUse()
        ignoredFields = ignored.effective
        digest = if let known { known } else { try ModelDigest.compute(folder: folder, variant: variant) }
        emptyPrompt = text.emptyPrompt
        try checkParts()
        try checkDevice()
        if use == .noising, let width = unet.configuration.timeCondProjDim {
            throw ModelError(
                .unsupported, at: folder.appendingPathComponent("unet/config.json").path,
                "time_cond_proj_dim is \(width): the UNet was distilled and wants a guidance scale, which has no place in "
                    + "training and scoring; use the model that it was distilled from")
        }
    }

    /// - Throws: ``ModelError`` for a device on which something went wrong: results since then are NaN.
    package func checkDevice() throws(ModelError) {
        guard let failure = device.failure else { return }
        throw ModelError(failure.code == .outOfMemory ? .outOfMemory : .device, at: "", "\(device): \(failure)")
    }

    private static func scheduler(
        _ folder: URL, _ index: ModelIndex, for use: SchedulerUse, _ ignored: IgnoredFields
    ) throws(ModelError) -> SchedulerConfiguration {
        let place = folder.appendingPathComponent("scheduler")
        var scheduler = try SchedulerConfiguration(folder: place, ignoring: ignored)
        if let problem = scheduler.problem(for: use) {
            throw ModelError(.unsupported, at: place.appendingPathComponent("scheduler_config.json").path, problem)
        }
        // Diffusers makes the class that the index names of whatever file is there.
        if let name = index.scheduler { scheduler.className = name }
        scheduler.isCorrected = !index.isXL
        return scheduler
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

    /// The same model with another UNet of the same configuration, as training makes it.
    package func replacing(unet: UNet2DConditionModel) -> DiffusionModel {
        var copy = self
        copy.unet = unet
        return copy
    }

    /// Channels, height and width of a latent of the model's own size.
    package var latentShape: [Int] { [unet.configuration.inChannels] + latentSize(nil) }

    /// The images that it was made for, in pixels.
    package var imageSize: ImageSize {
        ImageSize(
            width: unet.configuration.sampleWidth * vae.configuration.reduction,
            height: unet.configuration.sampleHeight * vae.configuration.reduction)
    }

    /// Height and width of the latents of images of a size; nil for the model's own.
    func latentSize(_ size: ImageSize?) -> [Int] {
        let reduction = vae.configuration.reduction
        return size.map { [$0.height / reduction, $0.width / reduction] }
            ?? [unet.configuration.sampleHeight, unet.configuration.sampleWidth]
    }

    /// What the sides of an image must be multiples of.
    package var sizeUnit: Int { max(8, vae.configuration.reduction) }

    /// How many layers ``encode(prompts:skipping:)`` can skip.
    package var skippableLayers: Int { text.skippableLayers }

    /// - Parameters:
    ///   - prompts: the texts.
    ///   - skipping: layers of the text encoders that are left out, as diffusers' `clip_skip` has it.
    package func encode(prompts: [String], skipping: Int = 0) -> [PromptEmbedding] {
        text.encode(prompts, skipping: skipping)
    }

    /// What SDXL is told beside text and timestep; nil for other models.
    ///
    /// - Parameters:
    ///   - prompts: embedded texts, one per sample of the batch.
    ///   - size: height and width of the latents; nil for the model's own.
    package func addedConditions(_ prompts: [PromptEmbedding], latents size: [Int]? = nil) -> AddedConditions? {
        guard unet.configuration.additionEmbedType == "text_time" else { return nil }
        let pooled = prompts.compactMap { $0.pooled.map { $0.reshaped([1, $0.count]) } }
        let sides = (size ?? latentSize(nil)).map { Float($0 * vae.configuration.reduction) }
        return AddedConditions(
            pooled: concatenateBatch(pooled), timeIDs: prompts.map { _ in sides + [0, 0] + sides })
    }

    /// Scaled latents `[N, h, w, C]` to images, a few at a time so that memory stays bounded.
    package func decode(_ latents: Tensor) -> [RGBImage] { decodeChecked(latents).map(\.image) }

    /// Images, and whether every value that they were rounded from was a finite number.
    func decodeChecked(_ latents: Tensor) -> [(image: RGBImage, isFinite: Bool)] {
        let count = latents.shape[0]
        let reduction = vae.configuration.reduction
        let pixels = latents.shape[1] * latents.shape[2] * reduction * reduction
        let group = max(1, (1 << 20) / max(pixels, 1))
        return stride(from: 0, to: count, by: group).flatMap { first in
            let pixels = vae.decode(unscaled(latents.batch(first..<min(first + group, count)).moved(to: .cpu))).moved(
                to: .cpu)
            return (0..<pixels.shape[0]).map {
                (RGBImage(pixels, index: $0), pixels.batch($0..<$0 + 1).firstNonFinite == nil)
            }
        }
    }

    /// Latents as the decoder takes them.
    private func unscaled(_ latents: Tensor) -> Tensor {
        let configuration = vae.configuration
        guard let mean = configuration.latentsMean, let deviation = configuration.latentsStd else {
            return latents * (1 / configuration.scalingFactor)
        }
        return latents.destandardized(mean: mean, deviation: deviation, scale: configuration.scalingFactor)
    }

    /// Images to the means of their latents, scaled, `[N, h, w, C]`; sides are multiples of the VAE's reduction.
    package func encode(images: [RGBImage]) -> Tensor { vae.encode(images) }
}

/// Width and height in pixels.
package struct ImageSize: Sendable, Equatable {
    package var width, height: Int

    package init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
}
