package import Diffusion
import Tensors

/// What an adapter file holds: low-rank changes to layers of the UNet and the text encoders, each with a scale of its own.
package struct StoredAdapter: Sendable {
    /// The change to one weight, as matrices: a convolution's `[out, in, h, w]` counts as `[out, in·h·w]`.
    package struct Layer: Sendable {
        /// A `[rank, in·h·w]`, B `[out, rank]` and, for DoRA, m `[out]`.
        package var factors: AdapterLayer
        /// Height and width of A where the file has it as a convolution; empty otherwise.
        package let kernel: [Int]
        package let alpha: Double
        /// The factor on BA.
        package let scale: Float
    }

    /// The file, for errors.
    package let file: String
    package let layers: [ModelComponent: [String: Layer]]
    /// Of the UNet, as PEFT names them.
    let targetModules: [String]
    let isRankStabilized: Bool

    /// The UNet's layers as one adapter of one rank and alpha, to be trained on.
    ///
    /// - Throws: ``AdapterError/notTrainable(file:reason:)`` for what training does not adapt: text encoders, convolutions,
    ///   LoRA and DoRA mixed.
    package func trainable() throws(AdapterError) -> Adapter {
        func refuse(_ reason: String) -> AdapterError { .notTrainable(file: file, reason: reason) }
        let text = layers.filter { $0.key != .unet }.values.reduce(0) { $0 + $1.count }
        guard text == 0 else { throw refuse("it also changes \(text) layers of the text encoder") }
        let layers = layers[.unet] ?? [:]
        let convolutions = layers.values.count { !$0.kernel.isEmpty }
        guard convolutions == 0 else { throw refuse("it changes \(convolutions) convolutions") }
        let isDora = layers.values.contains { $0.factors.magnitude != nil }
        if isDora, let plain = layers.keys.sorted().first(where: { layers[$0]?.factors.magnitude == nil }) {
            throw .incompleteLayer(path: plain, missing: "lora_magnitude_vector", file: file)
        }
        let rank = layers.values.map(\.factors.rank).max() ?? 1
        let alphas = Set(layers.values.map(\.alpha))
        let isUniform = alphas.count == 1 && layers.values.allSatisfy { $0.factors.rank == rank }
        let largest = layers.values.map(\.scale).max() ?? 1
        let alpha =
            isUniform && !isRankStabilized
            ? Float(alphas.first ?? Double(rank)) : (largest > 0 ? largest : 1) * Float(rank)
        return Adapter(
            kind: isDora ? .dora : .lora, rank: rank, alpha: alpha, targetModules: targetModules,
            layers: layers.mapValues { Self.widened($0, rank: rank, scale: alpha / Float(rank)) })
    }

    /// The same product sBA with another rank and another s: A gets rows of zeros, B columns of zeros and what s lacks.
    private static func widened(_ stored: Layer, rank: Int, scale: Float) -> AdapterLayer {
        let factor = stored.scale / scale
        var layer = stored.factors
        if factor != 1 { layer.up = layer.up * factor }
        let own = layer.rank
        guard own < rank else { return layer }
        let outputs = layer.up.shape[0]
        layer.down = concatenateBatch([layer.down, Tensor(zeros: [rank - own] + layer.down.shape.dropFirst())])
        layer.up = concatenateChannels(layer.up, Tensor(zeros: [outputs, rank - own]))
        return layer
    }
}
