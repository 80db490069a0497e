package import Tensors

/// The transformer of a vision encoder (arXiv 2010.11929): patches and a class token, layers with norms in front, and the
/// class token's last state as the image's features.
package struct VisionTransformer: Sendable {
    package let configuration: VisionConfiguration
    /// Values of an image's features.
    package let featureSize: Int
    private let patches: PreparedConvolution
    private let patchBias: Tensor?
    /// Of the class token with its position, `[1, C]`, and the positions of the patches, `[side², C]`.
    private let classToken, positions: Tensor
    private let firstNorm: LayerNorm?
    private let layers: [VisionLayer]
    private let lastNorm: LayerNorm
    private let projection: Linear?

    /// - Parameters:
    ///   - weights: of CLIPModel, CLIPVisionModel(WithProjection) or Dinov2Model, by transformers' keys.
    ///   - configuration: its sizes.
    /// - Throws: ``ModelError`` for a tensor that is missing, misshaped or has no place.
    package init(_ weights: Weights, _ configuration: VisionConfiguration) throws(ModelError) {
        self.configuration = configuration
        let (width, side) = (configuration.hiddenSize, configuration.gridSize)
        let kernel = [width, 3, configuration.patchSize, configuration.patchSize]
        let epsilon = configuration.normEpsilon
        let table: Tensor
        switch configuration.kind {
        case .clip:
            // transformers 5 may leave the prefix out.
            let prefixed = weights.scope("vision_model")
            let body = prefixed.exists ? prefixed : weights
            let embeddings = body.scope("embeddings")
            patches = PreparedConvolution(try embeddings.scope("patch_embedding").layerWeight(kernel))
            patchBias = nil
            table = try embeddings.scope("position_embedding").tensor("weight", [side * side + 1, width])
            classToken = try embeddings.tensor("class_embedding", [width]).reshaped([1, width]) + table.batch(0..<1)
            // The key is misspelled in every published file.
            firstNorm = try LayerNorm(body.scope("pre_layrnorm"), width, epsilon: epsilon)
            layers = try Self.layers(body.scope("encoder.layers"), configuration, VisionLayer.init(clip:_:))
            lastNorm = try LayerNorm(body.scope("post_layernorm"), width, epsilon: epsilon)
            let head = weights.scope("visual_projection")
            projection =
                head.exists
                ? try Linear(head, inputs: width, outputs: configuration.projectionSize, bias: false) : nil
            // CLIPModel has its text encoder in the same file.
            try weights.checkAllUsed {
                $0.hasSuffix("position_ids") || $0.hasPrefix("text_model.") || $0.hasPrefix("text_projection.")
                    || $0 == "logit_scale"
            }
        case .dinov2:
            let embeddings = weights.scope("embeddings")
            let projection = embeddings.scope("patch_embeddings.projection")
            patches = PreparedConvolution(try projection.layerWeight(kernel))
            patchBias = try projection.tensor("bias", [width])
            table = try embeddings.tensor("position_embeddings", [1, side * side + 1, width])
                .reshaped([side * side + 1, width])
            classToken =
                try embeddings.tensor("cls_token", [1, 1, width]).reshaped([1, width]) + table.batch(0..<1)
            firstNorm = nil
            layers = try Self.layers(weights.scope("encoder.layer"), configuration, VisionLayer.init(dinov2:_:))
            lastNorm = try LayerNorm(weights.scope("layernorm"), width, epsilon: epsilon)
            self.projection = nil
            try weights.checkAllUsed { $0 == "embeddings.mask_token" }
        }
        positions = table.batch(1..<side * side + 1)
        featureSize = projection == nil ? width : configuration.projectionSize
    }

    private static func layers(
        _ weights: Weights, _ configuration: VisionConfiguration,
        _ make: (Weights, VisionConfiguration) throws(ModelError) -> VisionLayer
    ) throws(ModelError) -> [VisionLayer] {
        var layers: [VisionLayer] = []
        for index in 0..<configuration.layers { layers.append(try make(weights.scope("\(index)"), configuration)) }
        return layers
    }

    /// - Parameter images: `[N, H, W, 3]`, normalized; of another size than the model's, its positions are interpolated.
    /// - Returns: `[N, featureSize]`.
    package func callAsFunction(_ images: Tensor) -> Tensor {
        let grid = conv2d(
            images, patches, bias: patchBias, stride: configuration.patchSize, padding: .none)
        let (count, rows, columns, width) = (grid.shape[0], grid.shape[1], grid.shape[2], grid.shape[3])
        let fitted = PositionGrid.fitted(
            positions, side: configuration.gridSize, rows: rows, columns: columns)
        let tokens = grid.reshaped([count, rows * columns, width])
        let sequences = (0..<count).map { index in
            concatenateBatch([
                classToken, tokens.batch(index..<index + 1).reshaped([rows * columns, width]) + fitted,
            ])
        }
        var x = concatenateBatch(sequences).reshaped([count, rows * columns + 1, width])
        if let firstNorm { x = firstNorm(x) }
        for layer in layers { x = layer(x) }
        let length = rows * columns + 1
        let heads = embedding(
            x.reshaped([count * length, width]), (0..<count).map { Int32($0 * length) }, shape: [count])
        let state = lastNorm(heads)
        return projection.map { $0(state) } ?? state
    }
}

/// Attention and an MLP, each after a norm and added to what came in.
private struct VisionLayer: Sendable {
    private let norm1, norm2: LayerNorm
    private let query, key, value, output, up, down: Linear
    private let heads: Int
    private let isQuick: Bool

    init(clip weights: Weights, _ configuration: VisionConfiguration) throws(ModelError) {
        let (width, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        (heads, isQuick) = (configuration.heads, configuration.activation == "quick_gelu")
        norm1 = try LayerNorm(weights.scope("layer_norm1"), width, epsilon: configuration.normEpsilon)
        norm2 = try LayerNorm(weights.scope("layer_norm2"), width, epsilon: configuration.normEpsilon)
        let attention = weights.scope("self_attn")
        query = try Linear(attention.scope("q_proj"), inputs: width, outputs: width)
        key = try Linear(attention.scope("k_proj"), inputs: width, outputs: width)
        value = try Linear(attention.scope("v_proj"), inputs: width, outputs: width)
        output = try Linear(attention.scope("out_proj"), inputs: width, outputs: width)
        up = try Linear(weights.scope("mlp.fc1"), inputs: width, outputs: inner)
        down = try Linear(weights.scope("mlp.fc2"), inputs: inner, outputs: width)
    }

    init(dinov2 weights: Weights, _ configuration: VisionConfiguration) throws(ModelError) {
        let (width, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        (heads, isQuick) = (configuration.heads, configuration.activation == "quick_gelu")
        norm1 = try LayerNorm(weights.scope("norm1"), width, epsilon: configuration.normEpsilon)
        norm2 = try LayerNorm(weights.scope("norm2"), width, epsilon: configuration.normEpsilon)
        let (attention, bias) = (weights.scope("attention.attention"), configuration.hasQueryKeyValueBias)
        query = try Linear(attention.scope("query"), inputs: width, outputs: width, bias: bias)
        key = try Linear(attention.scope("key"), inputs: width, outputs: width, bias: bias)
        value = try Linear(attention.scope("value"), inputs: width, outputs: width, bias: bias)
        output = try Self.scaled(
            weights.scope("attention.output.dense"), inputs: width, outputs: width,
            by: weights.scope("layer_scale1").tensor("lambda1", [width]))
        up = try Linear(weights.scope("mlp.fc1"), inputs: width, outputs: inner)
        down = try Self.scaled(
            weights.scope("mlp.fc2"), inputs: inner, outputs: width,
            by: weights.scope("layer_scale2").tensor("lambda1", [width]))
    }

    /// A linear layer with the scale that follows it in its rows.
    private static func scaled(
        _ weights: Weights, inputs: Int, outputs: Int, by scale: Tensor
    ) throws(ModelError) -> Linear {
        let (weight, bias) = (try weights.layerWeight([outputs, inputs]), try weights.tensor("bias", [outputs]))
        return Linear(path: weights.path, weight: scaleRows(weight, by: scale), bias: product(bias, scale))
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let inner = norm1(x)
        let attended = x + output(attention(query(inner), key(inner), value(inner), heads: heads))
        let widened = up(norm2(attended))
        return attended + down(isQuick ? quickGelu(widened) : gelu(widened))
    }
}
