import Tensor

/// The tensors of an adapter file by layer, until they are an adapter.
struct AdapterLayers {
    private let file: String
    private var layers: [String: [AdapterTensorName.Part: Tensor]] = [:]

    init(file: String) { self.file = file }

    mutating func add(_ tensor: Tensor, as name: AdapterTensorName) {
        layers[name.path, default: [:]][name.part] = tensor
    }

    /// One layer with the factor on its BA.
    private struct Scaled {
        var layer: AdapterLayer
        var alpha: Double
        var scale: Double
    }

    /// - Parameter settings: nil where nothing states them.
    func assembled(_ settings: AdapterSettings?) throws(AdapterError) -> Adapter {
        guard !layers.isEmpty else { throw .unreadable(file: file, reason: "it holds no layers") }
        var scaled: [String: Scaled] = [:]
        for (path, parts) in layers { scaled[path] = try self.scaled(path, parts, settings) }
        let isDora = settings?.useDora ?? scaled.values.contains { $0.layer.magnitude != nil }
        if isDora, let plain = scaled.first(where: { $0.value.layer.magnitude == nil }) {
            throw .incompleteLayer(path: plain.key, missing: "lora_magnitude_vector", file: file)
        }
        let rank = scaled.values.map(\.layer.rank).max() ?? 1
        let alphas = Set(scaled.values.map(\.alpha))
        let isUniform = alphas.count == 1 && scaled.values.allSatisfy { $0.layer.rank == rank }
        let isPlain = settings?.isRankStabilised != true
        let alpha = isUniform && isPlain ? alphas.first ?? Double(rank) : Self.commonScale(scaled.values) * Double(rank)
        return Adapter(
            kind: isDora ? .dora : .lora, rank: rank, alpha: Float(alpha), targetModules: settings?.targetModules ?? [],
            layers: scaled.mapValues { widened($0, rank: rank, scale: alpha / Double(rank)) })
    }

    private func scaled(
        _ path: String, _ parts: [AdapterTensorName.Part: Tensor], _ settings: AdapterSettings?
    ) throws(AdapterError) -> Scaled {
        guard let down = parts[.down] else { throw .incompleteLayer(path: path, missing: "lora_A", file: file) }
        guard let up = parts[.up] else { throw .incompleteLayer(path: path, missing: "lora_B", file: file) }
        guard down.shape.count == 2, up.shape.count == 2, down.shape[0] == up.shape[1], down.shape[0] > 0 else {
            throw .unreadable(file: file, reason: "layer \(path) has factors \(up.shape) and \(down.shape)")
        }
        var magnitude = parts[.magnitude]
        // kohya's scripts keep a column.
        if let column = magnitude, column.shape == [up.shape[0], 1] { magnitude = column.reshaped([up.shape[0]]) }
        let rank = Double(down.shape[0])
        let own = parts[.alpha].flatMap(\.values.first).map(Double.init)
        let stated = try settings?.alpha(of: path, file: file)
        let alpha = own ?? stated ?? rank
        guard alpha.isFinite else { throw .unreadable(file: file, reason: "layer \(path) has alpha \(alpha)") }
        return Scaled(
            layer: AdapterLayer(down: down, up: up, magnitude: magnitude), alpha: alpha,
            scale: settings?.isRankStabilised == true ? alpha / rank.squareRoot() : alpha / rank)
    }

    private static func commonScale(_ layers: some Sequence<Scaled>) -> Double {
        let largest = layers.map(\.scale).max() ?? 1
        return largest > 0 ? largest : 1
    }

    /// The same product sBA with another rank and another s: A gets rows of zeros, B columns of zeros and what s lacks.
    private func widened(_ scaled: Scaled, rank: Int, scale: Double) -> AdapterLayer {
        let factor = Float(scaled.scale / scale)
        var layer = scaled.layer
        if factor != 1 { layer.up = layer.up * factor }
        let own = layer.rank
        guard own < rank else { return layer }
        let (inputs, outputs) = (layer.down.shape[1], layer.up.shape[0])
        let (down, up) = (layer.down.values, layer.up.values)
        layer.down = Tensor(shape: [rank, inputs]) { out in
            for index in out.indices { out[index] = index < down.count ? down[index] : 0 }
        }
        layer.up = Tensor(shape: [outputs, rank]) { out in
            for index in out.indices {
                let (row, column) = (index / rank, index % rank)
                out[index] = column < own ? up[row * own + column] : 0
            }
        }
        return layer
    }
}
