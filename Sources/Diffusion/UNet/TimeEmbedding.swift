import Foundation
package import Tensors

/// Sinusoids of numbers (Vaswani et al., arXiv 1706.03762), as diffusers' Timesteps has them.
struct SinusoidalEmbedding: Sendable {
    let width: Int
    let cosineFirst: Bool
    let shift: Float

    /// - Returns: `[numbers, width]`.
    func callAsFunction(_ numbers: [Float]) -> Tensor {
        let half = width / 2
        let frequencies = (0..<half).map { exp(-log(Float(10_000)) * Float($0) / (Float(half) - shift)) }
        return Tensor(shape: [numbers.count, width]) { out in
            for (row, number) in numbers.enumerated() {
                for (i, frequency) in frequencies.enumerated() {
                    let (s, c) = (sin(number * frequency), cos(number * frequency))
                    out[row * width + i] = cosineFirst ? c : s
                    out[row * width + half + i] = cosineFirst ? s : c
                }
                if width % 2 == 1 { out[row * width + width - 1] = 0 }
            }
        }
    }
}

// Inside the enumeration its cases hide the functions of the same names.
private func plainSilu(_ x: Tensor) -> Tensor { silu(x) }
private func plainGelu(_ x: Tensor) -> Tensor { gelu(x) }
private func plainMish(_ x: Tensor) -> Tensor { mish(x) }
private func plainRelu(_ x: Tensor) -> Tensor { relu(x) }

/// Activations that a UNet may have around its time embedding.
package enum TimeActivation: String, Decodable, Sendable {
    case silu, swish, mish, gelu, relu

    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .silu, .swish: plainSilu(x)
        case .gelu: plainGelu(x)
        case .mish: plainMish(x)
        case .relu: plainRelu(x)
        }
    }
}

/// Two linear layers around SiLU (TimestepEmbedding).
struct EmbeddingMLP: Sendable {
    let linear1, linear2: Linear

    init(_ weights: Weights, inputs: Int, outputs: Int) throws(ModelError) {
        linear1 = try Linear(weights.scope("linear_1"), inputs: inputs, outputs: outputs)
        linear2 = try Linear(weights.scope("linear_2"), inputs: outputs, outputs: outputs)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { linear2(silu(linear1(x))) }
}

/// The embedding of a timestep: sinusoids, to which a distilled model adds the guidance scale, then two layers.
struct TimestepEmbedding: Sendable {
    private let sinusoids: SinusoidalEmbedding
    private let mlp: EmbeddingMLP
    private let condition: Linear?
    private let activation: TimeActivation?
    private let placement: Placement

    init(_ weights: Weights, width: Int, _ configuration: UNetConfiguration) throws(ModelError) {
        let inputs = configuration.blockOutChannels[0]
        placement = weights.placement
        sinusoids = SinusoidalEmbedding(
            width: inputs, cosineFirst: configuration.flipSinToCos, shift: configuration.freqShift)
        condition =
            if let width = configuration.timeCondProjDim {
                try Linear(weights.scope("cond_proj"), inputs: width, outputs: inputs, bias: false)
            } else { nil }
        mlp = try EmbeddingMLP(weights, inputs: inputs, outputs: width)
        activation = configuration.timestepPostAct
    }

    /// - Parameter guidance: ``guidanceEmbedding(_:width:)`` for models that take it, `[1, width]`.
    /// - Returns: `[timesteps, width]`.
    func callAsFunction(_ timesteps: [Float], guidance: Tensor?) -> Tensor {
        var x = placement(sinusoids(timesteps))
        if let condition, let guidance { x = x + condition(placement(guidance)).repeated(timesteps.count) }
        x = mlp(x)
        return placement(activation?(x) ?? x)
    }
}

/// The embedding of a guidance scale w as LCMs take it (Luo et al., arXiv 2310.04378): sinusoids of 1000·(w − 1).
package func guidanceEmbedding(_ scale: Float, width: Int) -> Tensor {
    SinusoidalEmbedding(width: width, cosineFirst: false, shift: 1)([(scale - 1) * 1000])
}

/// What SDXL is told beside text and time.
package struct AddedConditions: Sendable {
    /// The pooled text embedding, `[N, P]`.
    package var pooled: Tensor
    /// Six numbers per sample: original height and width, crop top and left, target height and width.
    package var timeIDs: [[Float]]

    package init(pooled: Tensor, timeIDs: [[Float]]) { (self.pooled, self.timeIDs) = (pooled, timeIDs) }
}

/// The embedding of ``AddedConditions`` (addition_embed_type "text_time").
struct TextTimeEmbedding: Sendable {
    private let sinusoids: SinusoidalEmbedding
    private let mlp: EmbeddingMLP
    private let placement: Placement
    let inputs: Int

    init(_ weights: Weights, width: Int, _ configuration: UNetConfiguration) throws(ModelError) {
        guard let each = configuration.additionTimeEmbedDim, let total = configuration.projectionClassEmbeddingsInputDim
        else {
            throw ModelError(
                .unsupported, at: weights.path,
                "text_time needs addition_time_embed_dim and projection_class_embeddings_input_dim")
        }
        sinusoids = SinusoidalEmbedding(
            width: each, cosineFirst: configuration.flipSinToCos, shift: configuration.freqShift)
        inputs = total
        placement = weights.placement
        mlp = try EmbeddingMLP(weights, inputs: total, outputs: width)
    }

    func callAsFunction(_ added: AddedConditions) -> Tensor {
        let samples = added.timeIDs.count
        let times = sinusoids(added.timeIDs.flatMap { $0 })
        let flat = times.reshaped([samples, times.count / max(samples, 1)])
        return mlp(placement(concatenateChannels(added.pooled.moved(to: .cpu), flat)))
    }
}
