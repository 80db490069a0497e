package import Tensors

/// What a run changes: an adapter, or every weight of the UNet.
package enum TrainedWeights: Sendable {
    case adapter(Adapter)
    case unet(UNetWeights)

    /// Every trained tensor, in the one order that optimizer, checkpoints and files share.
    package var parameters: [AdapterParameter] {
        switch self {
        case .adapter(let adapter): adapter.parameters
        case .unet(let weights): weights.parameters
        }
    }

    /// The same with other values, in the order of ``parameters``.
    package func replacing(_ values: [Tensor]) -> TrainedWeights {
        switch self {
        case .adapter(let adapter): .adapter(adapter.replacing(values))
        case .unet(let weights): .unet(weights.replacing(values))
        }
    }
}

/// All weights of a UNet by checkpoint key.
package struct UNetWeights: Sendable {
    package let names: [String]
    package let values: [Tensor]

    package init(_ tensors: [String: Tensor]) {
        let sorted = tensors.sorted { $0.key < $1.key }
        self.init(names: sorted.map(\.key), values: sorted.map(\.value))
    }

    private init(names: [String], values: [Tensor]) { (self.names, self.values) = (names, values) }

    package var parameters: [AdapterParameter] { zip(names, values).map { AdapterParameter(name: $0, value: $1) } }

    package func replacing(_ values: [Tensor]) -> UNetWeights {
        precondition(values.count == names.count, "\(values.count) values for \(names.count) weights")
        return UNetWeights(names: names, values: values)
    }

    package var tensors: [String: Tensor] { Dictionary(zip(names, values)) { first, _ in first } }
}
