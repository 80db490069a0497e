package import Foundation
package import Tensors

/// config.json of CLIPTextModel and CLIPTextModelWithProjection; fields left out take transformers' defaults.
package struct CLIPTextConfiguration: Decodable, Sendable {
    package var vocabSize = 49408
    package var hiddenSize = 512
    package var intermediateSize = 2048
    package var numHiddenLayers = 12
    package var numAttentionHeads = 8
    package var maxPositionEmbeddings = 77
    package var layerNormEps: Float = 1e-5
    package var hiddenAct = "quick_gelu"
    package var projectionDim = 512
    package var eosTokenId = 49407

    private enum CodingKeys: CodingKey {
        case vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, maxPositionEmbeddings
        case layerNormEps, hiddenAct, projectionDim, eosTokenId
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        vocabSize = try fields.decodeIfPresent(Int.self, forKey: .vocabSize) ?? vocabSize
        hiddenSize = try fields.decodeIfPresent(Int.self, forKey: .hiddenSize) ?? hiddenSize
        intermediateSize = try fields.decodeIfPresent(Int.self, forKey: .intermediateSize) ?? intermediateSize
        numHiddenLayers = try fields.decodeIfPresent(Int.self, forKey: .numHiddenLayers) ?? numHiddenLayers
        numAttentionHeads = try fields.decodeIfPresent(Int.self, forKey: .numAttentionHeads) ?? numAttentionHeads
        maxPositionEmbeddings =
            try fields.decodeIfPresent(Int.self, forKey: .maxPositionEmbeddings) ?? maxPositionEmbeddings
        layerNormEps = try fields.decodeIfPresent(Float.self, forKey: .layerNormEps) ?? layerNormEps
        hiddenAct = try fields.decodeIfPresent(String.self, forKey: .hiddenAct) ?? hiddenAct
        projectionDim = try fields.decodeIfPresent(Int.self, forKey: .projectionDim) ?? projectionDim
        eosTokenId = try fields.decodeIfPresent(Int.self, forKey: .eosTokenId) ?? eosTokenId
        try fields.require(
            numAttentionHeads > 0 && hiddenSize > 0 && hiddenSize.isMultiple(of: numAttentionHeads),
            .numAttentionHeads, "\(numAttentionHeads) heads do not divide hidden_size \(hiddenSize)")
        try fields.require(numHiddenLayers > 0, .numHiddenLayers, "\(numHiddenLayers) layers")
    }
}

/// The text encoder of CLIP (Radford et al., arXiv 2103.00020): a causal transformer with layer norms in front.
package struct CLIPTextEncoder: Sendable {
    package let configuration: CLIPTextConfiguration
    private let tokenEmbedding, positionEmbedding: Tensor
    private let layers: [CLIPLayer]
    private let finalNorm: LayerNorm
    private let projection: Tensor?

    /// What the layers give for a batch of token ids.
    package struct Output: Sendable {
        /// `[N, L, C]`, after the final layer norm.
        package let lastHiddenState: Tensor
        /// `[N, L, C]`, before the last layer, without the final norm (SDXL's `hidden_states[-2]`).
        package let penultimate: Tensor
        /// `[N, L, C]`: the state that was asked for, without the final norm.
        package let chosen: Tensor?
        /// `[N, P]`: the state at the end of the text, projected where the model has a projection.
        package let pooled: Tensor
    }

    package init(
        _ component: ModelComponent, folder: URL, variant: String? = nil, folding: (any WeightFolding)? = nil,
        lowMemory: Bool = false, precision: Precision = .float32, device: Device = .cpu,
        ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        let configuration = try readConfiguration(
            CLIPTextConfiguration.self, folder.appendingPathComponent("config.json"), part: component.rawValue,
            rules: .clipText, ignoring: ignored)
        try self.init(
            Weights(
                component, folder: folder, variant: variant, folding: folding, lowMemory: lowMemory,
                precision: precision, device: device),
            configuration)
    }

    package init(_ weights: Weights, _ configuration: CLIPTextConfiguration) throws(ModelError) {
        self.configuration = configuration
        // Published checkpoints carry a prefix that transformers 5 leaves out.
        let prefixed = weights.scope("text_model")
        let body = prefixed.exists ? prefixed : weights
        let width = configuration.hiddenSize
        let embeddings = body.scope("embeddings")
        tokenEmbedding = try embeddings.scope("token_embedding").tensor("weight", [configuration.vocabSize, width])
        positionEmbedding = try embeddings.scope("position_embedding").tensor(
            "weight", [configuration.maxPositionEmbeddings, width])
        var layers: [CLIPLayer] = []
        for index in 0..<configuration.numHiddenLayers {
            layers.append(try CLIPLayer(body.scope("encoder.layers", index), configuration))
        }
        self.layers = layers
        finalNorm = try LayerNorm(body.scope("final_layer_norm"), width, epsilon: configuration.layerNormEps)
        projection =
            weights.scope("text_projection").exists
            ? try weights.scope("text_projection").layerWeight([configuration.projectionDim, width]) : nil
        try weights.checkAllUsed { $0.hasSuffix("position_ids") }
    }

    /// - Parameters:
    ///   - ids: one list of token ids per text, all of one length.
    ///   - skipping: return the state before so many of the last layers as `Output.chosen`, 0 for none.
    package func callAsFunction(_ ids: [[Int]], skipping: Int? = nil) -> Output {
        let (count, length) = (ids.count, ids.first?.count ?? 0)
        let tokens = embedding(tokenEmbedding, ids.flatMap { $0.map(Int32.init) }, shape: [count, length])
        let positions = positionEmbedding.batch(0..<length).reshaped([1, length, configuration.hiddenSize])
        var x = tokens + positions.repeated(count)
        var penultimate = x
        let wanted = skipping.map { layers.count - $0 }
        var chosen = wanted == 0 ? x : nil
        for (index, layer) in layers.enumerated() {
            penultimate = x
            x = layer(x)
            if wanted == index + 1 { chosen = x }
        }
        let last = finalNorm(x)
        return Output(lastHiddenState: last, penultimate: penultimate, chosen: chosen, pooled: pool(last, ids))
    }

    /// The final layer norm, for a state that it was not part of.
    func normalized(_ state: Tensor) -> Tensor { finalNorm(state) }

    /// The state at the first end-of-text token; configurations with the old id 2 mean the largest id instead.
    private func pool(_ states: Tensor, _ ids: [[Int]]) -> Tensor {
        let width = configuration.hiddenSize
        let rows = ids.enumerated().map { index, ids in
            let position =
                configuration.eosTokenId == 2
                ? ids.firstIndex(of: ids.max() ?? 0) : ids.firstIndex(of: configuration.eosTokenId)
            return Int32(index * ids.count + (position ?? 0))
        }
        let flat = states.reshaped([states.shape[0] * states.shape[1], width])
        let pooled = embedding(flat, rows, shape: [rows.count])
        return projection.map { linear(pooled, $0) } ?? pooled
    }
}

private struct CLIPLayer: Sendable {
    let norm1, norm2: LayerNorm
    let query, key, value, output, up, down: Linear
    let heads: Int
    let activation: @Sendable (Tensor) -> Tensor

    init(_ weights: Weights, _ configuration: CLIPTextConfiguration) throws(ModelError) {
        let width = configuration.hiddenSize
        heads = configuration.numAttentionHeads
        switch configuration.hiddenAct {
        case "gelu": activation = { gelu($0) }
        case "quick_gelu": activation = { quickGelu($0) }
        default:
            throw ModelError(.unsupported, at: weights.path, "hidden_act '\(configuration.hiddenAct)' is not supported")
        }
        norm1 = try LayerNorm(weights.scope("layer_norm1"), width, epsilon: configuration.layerNormEps)
        norm2 = try LayerNorm(weights.scope("layer_norm2"), width, epsilon: configuration.layerNormEps)
        let attention = weights.scope("self_attn")
        query = try Linear(attention.scope("q_proj"), inputs: width, outputs: width)
        key = try Linear(attention.scope("k_proj"), inputs: width, outputs: width)
        value = try Linear(attention.scope("v_proj"), inputs: width, outputs: width)
        output = try Linear(attention.scope("out_proj"), inputs: width, outputs: width)
        up = try Linear(weights.scope("mlp.fc1"), inputs: width, outputs: configuration.intermediateSize)
        down = try Linear(weights.scope("mlp.fc2"), inputs: configuration.intermediateSize, outputs: width)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let inner = norm1(x)
        let attended =
            x
            + output(
                attention(
                    query(inner), key(inner), value(inner), heads: heads, causal: true,
                    precision: query.prepared.precision))
        return attended + down(activation(up(norm2(attended))))
    }
}
