import Tensors

/// A resnet block and the transformer that may follow it.
struct UNetLayer: Sendable {
    let resnet: ResnetBlock
    let transformer: SpatialTransformer?

    func callAsFunction(_ x: Tensor, time: Tensor, text: Tensor, _ context: ForwardContext) -> Tensor {
        let hidden = resnet(x, time: time)
        return transformer?(hidden, text: text, context) ?? hidden
    }
}

/// Makes the layers of one level.
struct UNetLayerMaker {
    let configuration: UNetConfiguration
    let timeWidth: Int

    func layer(
        _ weights: Weights, _ index: Int, inputs: Int, outputs: Int, level: Int, attends: Bool, isUp: Bool = false
    ) throws(ModelError) -> UNetLayer {
        UNetLayer(
            resnet: try resnet(weights, index, inputs: inputs, outputs: outputs),
            transformer: attends
                ? try transformer(weights, index, channels: outputs, level: level, isUp: isUp) : nil)
    }

    func resnet(_ weights: Weights, _ index: Int, inputs: Int, outputs: Int) throws(ModelError) -> ResnetBlock {
        try ResnetBlock(
            weights.scope("resnets", index), inputs: inputs, outputs: outputs, timeWidth: timeWidth,
            groups: configuration.normNumGroups, epsilon: configuration.normEps)
    }

    func transformer(
        _ weights: Weights, _ index: Int, channels: Int, level: Int, isUp: Bool = false
    ) throws(ModelError) -> SpatialTransformer {
        let fromBottom = configuration.blockOutChannels.count - 1 - level
        let reversed = isUp ? configuration.reverseTransformerLayersPerBlock : nil
        let count =
            reversed.map { $0[fromBottom, index] } ?? configuration.transformerLayersPerBlock[level, index]
        guard let layers = count, (0...1000).contains(layers),
            let heads = configuration.attentionHeadDim[level]
        else {
            throw ModelError(
                .unsupported, at: weights.path,
                "transformer_layers_per_block or attention_head_dim has no usable value for level \(level), layer \(index)"
            )
        }
        return try SpatialTransformer(
            weights.scope("attentions", index), channels: channels, layers: layers, heads: heads, configuration)
    }

    func layerCount(_ level: Int, at path: String) throws(ModelError) -> Int {
        guard let count = configuration.layersPerBlock[level] else {
            throw ModelError(.unsupported, at: path, "layers_per_block has no value for level \(level)")
        }
        return count
    }
}

/// One level on the way down.
struct DownBlock: Sendable {
    let layers: [UNetLayer]
    let downsample: Downsample?

    init(
        _ weights: Weights, kind: String, inputs: Int, outputs: Int, level: Int, isLast: Bool, _ maker: UNetLayerMaker
    ) throws(ModelError) {
        guard ["DownBlock2D", "CrossAttnDownBlock2D"].contains(kind) else {
            throw ModelError(.unsupported, at: weights.path, "block type '\(kind)' is not supported")
        }
        var layers: [UNetLayer] = []
        for index in 0..<(try maker.layerCount(level, at: weights.path)) {
            layers.append(
                try maker.layer(
                    weights, index, inputs: index == 0 ? inputs : outputs, outputs: outputs, level: level,
                    attends: kind == "CrossAttnDownBlock2D"))
        }
        self.layers = layers
        // Without padding all round, diffusers adds a row below and a column to the right.
        let padding =
            maker.configuration.downsamplePadding == 0
            ? Padding(top: 0, left: 0, bottom: 1, right: 1) : .uniform(maker.configuration.downsamplePadding)
        downsample =
            isLast ? nil : try Downsample(weights.scope("downsamplers", 0), channels: outputs, padding: padding)
    }

    /// Appends what each layer gives to `skips` for the way up.
    func callAsFunction(
        _ x: Tensor, time: Tensor, text: Tensor, skips: inout [Tensor], _ context: ForwardContext
    ) -> Tensor {
        var x = x
        for layer in layers {
            x = layer(x, time: time, text: text, context)
            skips.append(x)
        }
        if let downsample {
            x = downsample(x)
            skips.append(x)
        }
        return x
    }
}

/// The bottom: resnet, transformer, resnet; or one resnet alone (UNetMidBlock2D, as SSD-1B has it).
struct MidBlock: Sendable {
    let first: ResnetBlock
    let transformer: SpatialTransformer?
    let second: ResnetBlock?

    init(
        _ weights: Weights, kind: String, channels: Int, level: Int, _ maker: UNetLayerMaker
    ) throws(ModelError) {
        first = try maker.resnet(weights, 0, inputs: channels, outputs: channels)
        let attends = kind == "UNetMidBlock2DCrossAttn"
        transformer = attends ? try maker.transformer(weights, 0, channels: channels, level: level) : nil
        second = attends ? try maker.resnet(weights, 1, inputs: channels, outputs: channels) : nil
    }

    func callAsFunction(_ x: Tensor, time: Tensor, text: Tensor, _ context: ForwardContext) -> Tensor {
        let hidden = first(x, time: time)
        guard let transformer, let second else { return hidden }
        return second(transformer(hidden, text: text, context), time: time)
    }
}

/// One level on the way up; each layer also sees a skip from the way down.
struct UpBlock: Sendable {
    let layers: [UNetLayer]
    let upsample: Upsample?

    /// - Parameters:
    ///   - skips: channels of the skips that this level takes, in the order in which it takes them.
    ///   - level: counted from the top, as on the way down.
    init(
        _ weights: Weights, kind: String, inputs: Int, outputs: Int, skips: [Int], level: Int, isLast: Bool,
        _ maker: UNetLayerMaker
    ) throws(ModelError) {
        guard ["UpBlock2D", "CrossAttnUpBlock2D"].contains(kind) else {
            throw ModelError(.unsupported, at: weights.path, "block type '\(kind)' is not supported")
        }
        var layers: [UNetLayer] = []
        for (index, skip) in skips.enumerated() {
            layers.append(
                try maker.layer(
                    weights, index, inputs: (index == 0 ? inputs : outputs) + skip, outputs: outputs, level: level,
                    attends: kind == "CrossAttnUpBlock2D", isUp: true))
        }
        self.layers = layers
        upsample = isLast ? nil : try Upsample(weights.scope("upsamplers", 0), channels: outputs)
    }

    func callAsFunction(
        _ x: Tensor, time: Tensor, text: Tensor, skips: inout [Tensor], _ context: ForwardContext
    ) -> Tensor {
        var x = x
        for layer in layers {
            let skip = skips.removeLast().repeated(toBatch: x.shape[0])
            x = layer(concatenateChannels(x, skip), time: time, text: text, context)
        }
        guard let upsample else { return x }
        // The next level's size, which is not double this one's where that could not be halved evenly.
        let next = skips.last?.shape ?? []
        return next.count == 4 ? upsample(x, height: next[1], width: next[2]) : upsample(x)
    }
}
