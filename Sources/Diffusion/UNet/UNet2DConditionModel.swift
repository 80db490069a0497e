package import Foundation
package import Tensors

/// The denoiser of SD-1.x, SD-2.x and SDXL: a U-shaped network of residual and transformer blocks (Rombach et al.,
/// arXiv 2112.10752; Podell et al., arXiv 2307.01952), with diffusers' checkpoint keys.
package struct UNet2DConditionModel: Sendable {
    package let configuration: UNetConfiguration
    /// Every linear layer inside the transformers by checkpoint path: what adapters can change.
    package let linears: [String: Linear]
    /// Where it computes.
    package let placement: Placement

    private let timeEmbedding: TimestepEmbedding
    private let addEmbedding: TextTimeEmbedding?
    private let convIn: Conv2D
    private let downBlocks: [DownBlock]
    private let midBlock: MidBlock?
    private let upBlocks: [UpBlock]
    private let normOut: GroupNorm
    private let convOut: Conv2D

    package init(
        folder: URL, variant: String? = nil, folding: (any WeightFolding)? = nil, lowMemory: Bool = false,
        precision: Precision = .float32, device: Device = .cpu, ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        let configuration = try UNetConfiguration(folder: folder, ignoring: ignored)
        try self.init(
            Weights(
                .unet, folder: folder, variant: variant, folding: folding, lowMemory: lowMemory, precision: precision,
                device: device),
            configuration)
    }

    package init(_ weights: Weights, _ configuration: UNetConfiguration) throws(ModelError) {
        self.configuration = configuration
        placement = weights.placement
        let channels = configuration.blockOutChannels
        let levels = channels.count
        guard levels > 0, configuration.downBlockTypes.count == levels, configuration.upBlockTypes.count == levels
        else {
            throw ModelError(.unsupported, at: "unet/config.json", "block types and block_out_channels do not fit")
        }
        let timeWidth = configuration.timeEmbeddingDim ?? channels[0] * 4
        let maker = UNetLayerMaker(configuration: configuration, timeWidth: timeWidth)

        timeEmbedding = try TimestepEmbedding(weights.scope("time_embedding"), width: timeWidth, configuration)
        switch configuration.additionEmbedType {
        case nil: addEmbedding = nil
        case "text_time":
            addEmbedding = try TextTimeEmbedding(weights.scope("add_embedding"), width: timeWidth, configuration)
        case let other?:
            throw ModelError(.unsupported, at: "unet/config.json", "addition_embed_type '\(other)' is not supported")
        }
        convIn = try Conv2D(
            weights.scope("conv_in"), inputs: configuration.inChannels, outputs: channels[0],
            kernel: configuration.convInKernel)

        var down: [DownBlock] = []
        var skips = [channels[0]]
        for level in 0..<levels {
            let block = try DownBlock(
                weights.scope("down_blocks", level), kind: configuration.downBlockTypes[level],
                inputs: channels[max(level - 1, 0)], outputs: channels[level], level: level,
                isLast: level == levels - 1, maker)
            skips += Array(repeating: channels[level], count: block.layers.count)
            if block.downsample != nil { skips.append(channels[level]) }
            down.append(block)
        }
        downBlocks = down
        midBlock =
            if let kind = configuration.midBlockType {
                try MidBlock(
                    weights.scope("mid_block"), kind: kind, channels: channels[levels - 1], level: levels - 1, maker)
            } else { nil }

        var up: [UpBlock] = []
        var inputs = channels[levels - 1]
        for index in 0..<levels {
            let level = levels - 1 - index
            let count = try maker.layerCount(level, at: "up_blocks") + 1
            let taken = Array(skips.suffix(count).reversed())
            skips.removeLast(min(count, skips.count))
            up.append(
                try UpBlock(
                    weights.scope("up_blocks", index), kind: configuration.upBlockTypes[index], inputs: inputs,
                    outputs: channels[level], skips: taken, level: level, isLast: index == levels - 1, maker))
            inputs = channels[level]
        }
        upBlocks = up
        normOut = try GroupNorm(
            weights.scope("conv_norm_out"), channels[0], groups: configuration.normNumGroups,
            epsilon: configuration.normEps, activation: .silu)
        convOut = try Conv2D(
            weights.scope("conv_out"), inputs: channels[0], outputs: configuration.outChannels,
            kernel: configuration.convOutKernel)
        try weights.checkAllUsed()

        let transformers =
            down.flatMap { $0.layers.compactMap(\.transformer) } + [midBlock?.transformer].compactMap { $0 }
            + up.flatMap { $0.layers.compactMap(\.transformer) }
        linears = Dictionary(transformers.flatMap(\.linears).map { ($0.path, $0) }) { first, _ in first }
    }

    /// What the model predicts for noisy latents.
    ///
    /// - Parameters:
    ///   - sample: `[N, H, W, in]`.
    ///   - timesteps: one per sample.
    ///   - text: the prompt embeddings, `[N, L, D]`; or of a multiple of N, when several texts in turn go with the same
    ///     samples and timesteps, as guidance has it. What does not depend on the text is then computed once. Or fewer,
    ///     where `context` says which sample has which.
    ///   - added: needed by SDXL only.
    ///   - guidance: the ``guidanceEmbedding(_:width:)`` of models that take one.
    ///   - context: adapters, gradient checkpointing, and what passes share.
    /// - Returns: `[N, H, W, out]` with the N of the text, or of the samples that share texts; in float32, where it computes.
    package func callAsFunction(
        _ sample: Tensor, timesteps: [Float], text: Tensor, added: AddedConditions? = nil,
        guidance: Tensor? = nil, in context: ForwardContext = ForwardContext()
    ) -> Tensor {
        precondition(timesteps.count == sample.shape[0], "\(timesteps.count) timesteps for \(sample.shape[0]) samples")
        let (sample, text) = (placement(sample), placement(text))
        var time = timeEmbedding(timesteps, guidance: guidance)
        if let addEmbedding, let added { time = time + addEmbedding(added) }
        if let activation = configuration.timeEmbeddingActFn { time = placement(activation(time)) }
        time = silu(time)

        var x = convIn(sample)
        var skips = [x]
        for block in downBlocks { x = block(x, time: time, text: text, skips: &skips, context) }
        x = midBlock?(x, time: time, text: text, context) ?? x
        for block in upBlocks { x = block(x, time: time, text: text, skips: &skips, context) }
        return placement.widened(convOut(normOut(x)))
    }
}
