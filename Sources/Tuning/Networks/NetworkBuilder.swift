package import Diffusion
import Tensors

/// Makes networks that run with trained weights.
package struct NetworkBuilder: Sendable {
    private let unet: UNet2DConditionModel
    /// ‖W‖² by rows of adapted layers: computed once, since W is frozen.
    private let weightSquares: [String: Tensor]

    /// - Parameters:
    ///   - unet: the model's own, which adapters change as it runs.
    ///   - weights: of the kind that networks are to be made of.
    package init(_ unet: UNet2DConditionModel, for weights: TrainedWeights) {
        self.unet = unet
        weightSquares = if case .adapter(let adapter) = weights { adapter.weightSquares(unet.linears) } else { [:] }
    }

    /// A network for the present values: made once per step, whatever the number of microbatches.
    ///
    /// - Throws: ``ModelError`` where the weights do not fit the configuration.
    package func network(_ weights: TrainedWeights) throws(ModelError) -> Network {
        switch weights {
        case .adapter(let adapter):
            Network(unet, adapters: adapter.bound(to: unet.linears, weightSquares: weightSquares))
        case .unet(let weights):
            Network(
                try UNet2DConditionModel(
                    Weights(tensors: weights.tensors, device: unet.placement.device), unet.configuration))
        }
    }

    /// The model as it was, without what is trained.
    package var untrained: Network { Network(unet) }
}
