package import Foundation
package import Tensors

/// config.json of AutoencoderKL; fields left out take diffusers' defaults.
package struct VAEConfiguration: Decodable, Sendable {
    package var inChannels = 3
    package var outChannels = 3
    package var latentChannels = 4
    package var blockOutChannels = [64]
    package var layersPerBlock = 1
    package var normNumGroups = 32
    package var scalingFactor: Float = 0.18215
    /// By channel: what SDXL-like models multiply latents by and add to them before the decoder; nil for neither.
    package var latentsMean, latentsStd: [Float]?
    package var useQuantConv = true
    package var usePostQuantConv = true
    package var midBlockAddAttention = true

    private enum CodingKeys: CodingKey {
        case inChannels, outChannels, latentChannels, blockOutChannels, layersPerBlock, normNumGroups, scalingFactor
        case latentsMean, latentsStd, useQuantConv, usePostQuantConv, midBlockAddAttention
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try fields.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        inChannels = try read(.inChannels, inChannels)
        outChannels = try read(.outChannels, outChannels)
        latentChannels = try read(.latentChannels, latentChannels)
        blockOutChannels = try read(.blockOutChannels, blockOutChannels)
        layersPerBlock = try read(.layersPerBlock, layersPerBlock)
        normNumGroups = try read(.normNumGroups, normNumGroups)
        scalingFactor = try read(.scalingFactor, scalingFactor)
        latentsMean = try fields.decodeIfPresent([Float].self, forKey: .latentsMean)
        latentsStd = try fields.decodeIfPresent([Float].self, forKey: .latentsStd)
        useQuantConv = try read(.useQuantConv, useQuantConv)
        usePostQuantConv = try read(.usePostQuantConv, usePostQuantConv)
        midBlockAddAttention = try read(.midBlockAddAttention, midBlockAddAttention)
        try fields.require(
            (1...8).contains(blockOutChannels.count) && blockOutChannels.allSatisfy { $0 > 0 }, .blockOutChannels,
            "\(blockOutChannels) are not the widths of 1 to 8 levels")
        try fields.require(layersPerBlock > 0, .layersPerBlock, "\(layersPerBlock) layers")
        for (key, values) in [(CodingKeys.latentsMean, latentsMean), (.latentsStd, latentsStd)] {
            try fields.require(
                values.map { $0.count == latentChannels } ?? true, key,
                "needs one value for each of \(latentChannels) channels")
        }
        try fields.require(
            (latentsMean == nil) == (latentsStd == nil), .latentsMean, "latents_mean and latents_std go together")
        try fields.require(latentsStd?.allSatisfy { $0 > 0 } ?? true, .latentsStd, "is not positive")
        try fields.require(scalingFactor > 0, .scalingFactor, "\(scalingFactor) is not positive")
        try fields.require(
            inChannels == 3 && outChannels == 3, .inChannels, "only red, green and blue images are supported")
    }

    /// Pixels a latent is wide: 2^(levels − 1).
    package var reduction: Int { 1 << (blockOutChannels.count - 1) }
}

/// The autoencoder between pixels and latents (Kingma & Welling, arXiv 1312.6114), with diffusers' checkpoint keys.
package struct AutoencoderKL: Sendable {
    package let configuration: VAEConfiguration
    private let placement: Placement
    private let encoder: VAEEncoder
    private let decoder: VAEDecoder
    private let quant, postQuant: Conv2D?

    /// - Parameters:
    ///   - folder: of the VAE.
    ///   - variant: which copy of the weights.
    ///   - lowMemory: whether weights of 16 bits are kept so.
    ///   - precision: what products are computed in.
    ///   - device: where it computes.
    ///   - isXL: whether it belongs to an SDXL model, whose pipeline follows fields of its own.
    ///   - ignored: fields of its file that are taken as if they were not there.
    package init(
        folder: URL, variant: String? = nil, lowMemory: Bool = false, precision: Precision = .float32,
        device: Device = .cpu, isXL: Bool = false, ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        let configuration = try readConfiguration(
            VAEConfiguration.self, folder.appendingPathComponent("config.json"), part: "vae", rules: .vae(isXL: isXL),
            ignoring: ignored)
        try self.init(
            Weights(
                .vae, folder: folder, variant: variant, lowMemory: lowMemory, precision: precision, device: device),
            configuration)
    }

    package init(_ weights: Weights, _ configuration: VAEConfiguration) throws(ModelError) {
        self.configuration = configuration
        placement = weights.placement
        let latent = configuration.latentChannels
        encoder = try VAEEncoder(weights.scope("encoder"), configuration)
        decoder = try VAEDecoder(weights.scope("decoder"), configuration)
        quant =
            configuration.useQuantConv
            ? try Conv2D(weights.scope("quant_conv"), inputs: 2 * latent, outputs: 2 * latent, kernel: 1) : nil
        postQuant =
            configuration.usePostQuantConv
            ? try Conv2D(weights.scope("post_quant_conv"), inputs: latent, outputs: latent, kernel: 1) : nil
        try weights.checkAllUsed()
    }

    /// Latents as the decoder takes them (not scaled), `[N, h, w, 4]`, to pixels in −1…1, `[N, H, W, 3]`.
    package func decode(_ latents: Tensor) -> Tensor {
        let latents = placement(latents)
        return placement.widened(decoder(postQuant?(latents) ?? latents))
    }

    /// Pixels in −1…1, `[N, H, W, 3]`, to mean and log-variance of the latents side by side, `[N, h, w, 8]`.
    package func moments(_ pixels: Tensor) -> Tensor {
        let moments = encoder(placement(pixels))
        return placement.widened(quant?(moments) ?? moments)
    }
}

private struct VAEEncoder: Sendable {
    let convIn: Conv2D
    let levels: [(resnets: [ResnetBlock], downsample: Downsample?)]
    let mid: VAEMidBlock
    let normOut: GroupNorm
    let convOut: Conv2D

    init(_ weights: Weights, _ configuration: VAEConfiguration) throws(ModelError) {
        let channels = configuration.blockOutChannels
        convIn = try Conv2D(weights.scope("conv_in"), inputs: configuration.inChannels, outputs: channels[0])
        var levels: [(resnets: [ResnetBlock], downsample: Downsample?)] = []
        for (level, width) in channels.enumerated() {
            let scope = weights.scope("down_blocks", level)
            let resnets = try vaeResnets(
                scope, count: configuration.layersPerBlock, inputs: channels[max(level - 1, 0)], outputs: width,
                configuration)
            let isLast = level == channels.count - 1
            // One more column and row below and to the right, as the original model pads.
            let padding = Padding(top: 0, left: 0, bottom: 1, right: 1)
            levels.append(
                (
                    resnets,
                    isLast ? nil : try Downsample(scope.scope("downsamplers", 0), channels: width, padding: padding)
                ))
        }
        self.levels = levels
        let top = channels[channels.count - 1]
        mid = try VAEMidBlock(weights.scope("mid_block"), channels: top, configuration)
        normOut = try GroupNorm(
            weights.scope("conv_norm_out"), top, groups: configuration.normNumGroups, epsilon: 1e-6, activation: .silu)
        convOut = try Conv2D(weights.scope("conv_out"), inputs: top, outputs: 2 * configuration.latentChannels)
    }

    func callAsFunction(_ pixels: Tensor) -> Tensor {
        var x = convIn(pixels)
        for level in levels {
            for resnet in level.resnets { x = resnet(x) }
            x = level.downsample?(x) ?? x
        }
        return convOut(normOut(mid(x)))
    }
}

private struct VAEDecoder: Sendable {
    let convIn: Conv2D
    let mid: VAEMidBlock
    let levels: [(resnets: [ResnetBlock], upsample: Upsample?)]
    let normOut: GroupNorm
    let convOut: Conv2D

    init(_ weights: Weights, _ configuration: VAEConfiguration) throws(ModelError) {
        let channels = Array(configuration.blockOutChannels.reversed())
        convIn = try Conv2D(weights.scope("conv_in"), inputs: configuration.latentChannels, outputs: channels[0])
        mid = try VAEMidBlock(weights.scope("mid_block"), channels: channels[0], configuration)
        var levels: [(resnets: [ResnetBlock], upsample: Upsample?)] = []
        for (level, width) in channels.enumerated() {
            let scope = weights.scope("up_blocks", level)
            let resnets = try vaeResnets(
                scope, count: configuration.layersPerBlock + 1, inputs: channels[max(level - 1, 0)], outputs: width,
                configuration)
            let isLast = level == channels.count - 1
            levels.append((resnets, isLast ? nil : try Upsample(scope.scope("upsamplers", 0), channels: width)))
        }
        self.levels = levels
        let bottom = channels[channels.count - 1]
        normOut = try GroupNorm(
            weights.scope("conv_norm_out"), bottom, groups: configuration.normNumGroups, epsilon: 1e-6,
            activation: .silu)
        convOut = try Conv2D(weights.scope("conv_out"), inputs: bottom, outputs: configuration.outChannels)
    }

    func callAsFunction(_ latents: Tensor) -> Tensor {
        var x = mid(convIn(latents))
        for level in levels {
            for resnet in level.resnets { x = resnet(x) }
            x = level.upsample?(x) ?? x
        }
        return convOut(normOut(x))
    }
}

/// Resnet, single-head attention over pixels, resnet.
private struct VAEMidBlock: Sendable {
    let first, second: ResnetBlock
    let attention: VAEAttention?

    init(_ weights: Weights, channels: Int, _ configuration: VAEConfiguration) throws(ModelError) {
        first = try vaeResnet(weights, 0, inputs: channels, outputs: channels, configuration)
        attention =
            configuration.midBlockAddAttention
            ? try VAEAttention(weights.scope("attentions", 0), channels: channels, groups: configuration.normNumGroups)
            : nil
        second = try vaeResnet(weights, 1, inputs: channels, outputs: channels, configuration)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let hidden = first(x)
        return second(attention?(hidden) ?? hidden)
    }
}

private struct VAEAttention: Sendable {
    let norm: GroupNorm
    let query, key, value, output: Linear

    init(_ weights: Weights, channels: Int, groups: Int) throws(ModelError) {
        // Checkpoints from before diffusers 0.17 have other names for the same layers.
        let names =
            weights.scope("query").exists
            ? ["query", "key", "value", "proj_attn"] : ["to_q", "to_k", "to_v", "to_out.0"]
        norm = try GroupNorm(weights.scope("group_norm"), channels, groups: groups, epsilon: 1e-6)
        query = try Linear(weights.scope(names[0]), inputs: channels, outputs: channels)
        key = try Linear(weights.scope(names[1]), inputs: channels, outputs: channels)
        value = try Linear(weights.scope(names[2]), inputs: channels, outputs: channels)
        output = try Linear(weights.scope(names[3]), inputs: channels, outputs: channels)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let tokens = norm(x).reshaped([x.shape[0], x.shape[1] * x.shape[2], x.channels])
        let attended = attention(
            query(tokens), key(tokens), value(tokens), heads: 1, precision: query.prepared.precision)
        return x + output(attended).reshaped(x.shape)
    }
}

private func vaeResnets(
    _ weights: Weights, count: Int, inputs: Int, outputs: Int, _ configuration: VAEConfiguration
) throws(ModelError) -> [ResnetBlock] {
    var blocks: [ResnetBlock] = []
    for index in 0..<count {
        blocks.append(
            try vaeResnet(weights, index, inputs: index == 0 ? inputs : outputs, outputs: outputs, configuration))
    }
    return blocks
}

private func vaeResnet(
    _ weights: Weights, _ index: Int, inputs: Int, outputs: Int, _ configuration: VAEConfiguration
) throws(ModelError) -> ResnetBlock {
    try ResnetBlock(
        weights.scope("resnets", index), inputs: inputs, outputs: outputs, timeWidth: nil,
        groups: configuration.normNumGroups, epsilon: 1e-6)
}
