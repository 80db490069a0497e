import Tensors

/// Self-attention over pixels or cross-attention to the text, by heads (diffusers' Attention).
struct AttentionLayer: Sendable {
    let path: String
    let query, key, value, output: Linear
    let heads: Int

    init(_ weights: Weights, width: Int, contextWidth: Int, heads: Int) throws(ModelError) {
        guard heads > 0, width.isMultiple(of: heads) else {
            throw ModelError(
                .unsupported, at: weights.path,
                "\(heads) heads (attention_head_dim) do not divide \(width) channels")
        }
        path = weights.path
        query = try Linear(weights.scope("to_q"), inputs: width, outputs: width, bias: false)
        key = try Linear(weights.scope("to_k"), inputs: contextWidth, outputs: width, bias: false)
        value = try Linear(weights.scope("to_v"), inputs: contextWidth, outputs: width, bias: false)
        output = try Linear(weights.scope("to_out.0"), inputs: width, outputs: width)
        self.heads = heads
    }

    var linears: [Linear] { [query, key, value, output] }
    private var precision: Precision { query.prepared.precision }

    /// Self-attention.
    func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        output(
            attention(query(x, context), key(x, context), value(x, context), heads: heads, precision: precision),
            context)
    }

    /// Cross-attention to `text`, `[N, L, D]`, or as many as the context's images share.
    func callAsFunction(_ x: Tensor, text: Tensor, _ context: ForwardContext) -> Tensor {
        let project = { (key(text, context), value(text, context)) }
        let (keys, values) = context.crossAttention?.keysAndValues(path, project) ?? project()
        return output(
            attention(
                query(x, context), context.byImage(keys), context.byImage(values), heads: heads, precision: precision),
            context)
    }
}

/// Self-attention, cross-attention and a gated feed-forward layer, each behind a layer norm (BasicTransformerBlock).
struct TransformerBlock: Sendable {
    let norm1, norm2, norm3: LayerNorm
    let selfAttention, crossAttention: AttentionLayer
    let up, down: Linear

    init(_ weights: Weights, width: Int, contextWidth: Int, heads: Int) throws(ModelError) {
        norm1 = try LayerNorm(weights.scope("norm1"), width)
        selfAttention = try AttentionLayer(weights.scope("attn1"), width: width, contextWidth: width, heads: heads)
        norm2 = try LayerNorm(weights.scope("norm2"), width)
        crossAttention = try AttentionLayer(
            weights.scope("attn2"), width: width, contextWidth: contextWidth, heads: heads)
        norm3 = try LayerNorm(weights.scope("norm3"), width)
        up = try Linear(weights.scope("ff.net.0.proj"), inputs: width, outputs: 8 * width)
        down = try Linear(weights.scope("ff.net.2"), inputs: 4 * width, outputs: width)
    }

    var linears: [Linear] { selfAttention.linears + crossAttention.linears + [up, down] }

    /// Images that several texts share are one batch until here, where the texts first tell them apart.
    func callAsFunction(_ x: Tensor, text: Tensor, _ context: ForwardContext) -> Tensor {
        var x = (x + selfAttention(norm1(x), context)).repeated(toBatch: context.texts?.count ?? text.shape[0])
        x = x + crossAttention(norm2(x), text: text, context)
        return x + down(geglu(up(norm3(x), context)), context)
    }
}

/// Transformer blocks over the pixels of an image (Transformer2DModel).
struct SpatialTransformer: Sendable {
    private let norm: GroupNorm
    private let projectIn, projectOut: Projection
    private let blocks: [TransformerBlock]

    init(
        _ weights: Weights, channels: Int, layers: Int, heads: Int, _ configuration: UNetConfiguration
    ) throws(ModelError) {
        norm = try GroupNorm(
            weights.scope("norm"), channels, groups: configuration.normNumGroups, epsilon: 1e-6)
        let linear = configuration.useLinearProjection
        projectIn = try Projection(weights.scope("proj_in"), channels, linear: linear)
        var blocks: [TransformerBlock] = []
        for index in 0..<layers {
            blocks.append(
                try TransformerBlock(
                    weights.scope("transformer_blocks", index), width: channels,
                    contextWidth: configuration.crossAttentionDim, heads: heads))
        }
        self.blocks = blocks
        projectOut = try Projection(weights.scope("proj_out"), channels, linear: linear)
    }

    var linears: [Linear] {
        (blocks.flatMap(\.linears) + [projectIn.linear, projectOut.linear].compactMap { $0 })
    }

    func callAsFunction(_ x: Tensor, text: Tensor, _ context: ForwardContext) -> Tensor {
        let (images, channels) = (x.shape[0], x.channels)
        var tokens = projectIn(norm(x), context).reshaped([images, x.shape[1] * x.shape[2], channels])
        for block in blocks {
            tokens = context.block([tokens, text]) { block($0[0], text: $0[1], context) }
        }
        let out = projectOut(tokens.reshaped([tokens.shape[0]] + x.shape.dropFirst()), context)
        return x.repeated(toBatch: out.shape[0]) + out
    }
}

/// The layers around the blocks: linear in newer models, 1×1 convolutions in SD-1.x. Channels last makes both the same
/// product over pixels.
private struct Projection: Sendable {
    let linear: Linear?
    private let conv: Conv2D?

    init(_ weights: Weights, _ channels: Int, linear: Bool) throws(ModelError) {
        self.linear = linear ? try Linear(weights, inputs: channels, outputs: channels) : nil
        conv = linear ? nil : try Conv2D(weights, inputs: channels, outputs: channels, kernel: 1)
    }

    func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        linear?(x, context) ?? conv?(x) ?? x
    }
}
