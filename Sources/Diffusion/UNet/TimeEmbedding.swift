import Foundation
package import Tensor

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

/// Two linear layers around SiLU (TimestepEmbedding).
struct EmbeddingMLP: Sendable {
    let linear1, linear2: Linear

    init(_ weights: Weights, inputs: Int, outputs: Int) throws(ModelError) {
        linear1 = try Linear(weights.scope("linear_1"), inputs: inputs, outputs: outputs)
        linear2 = try Linear(weights.scope("linear_2"), inputs: outputs, outputs: outputs)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { linear2(silu(linear1(x))) }
}

/// What SDXL is told beside text and time.
package struct AddedConditions: Sendable {
    /// The pooled text embedding, `[N, P]`.
    package var pooled: Tensor
    /// Six numbers a sample: original height and width, crop top and left, target height and width.
    package var timeIDs: [[Float]]

    package init(pooled: Tensor, timeIDs: [[Float]]) { (self.pooled, self.timeIDs) = (pooled, timeIDs) }
}

/// The embedding of ``AddedConditions`` (addition_embed_type "text_time").
struct TextTimeEmbedding: Sendable {
    private let sinusoids: SinusoidalEmbedding
    private let mlp: EmbeddingMLP
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
        mlp = try EmbeddingMLP(weights, inputs: total, outputs: width)
    }

    func callAsFunction(_ added: AddedConditions) -> Tensor {
        let samples = added.timeIDs.count
        let times = sinusoids(added.timeIDs.flatMap { $0 })
        let flat = times.reshaped([samples, times.count / max(samples, 1)])
        return mlp(concatenateChannels(added.pooled, flat))
    }
}
