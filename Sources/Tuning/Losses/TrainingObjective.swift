package import Diffusion
package import Tensors

/// A loss: from a microbatch, whose random draws are all made, to a scalar with its tape.
///
/// All losses are means over the rows of a batch, so that a batch may be computed in parts. Predictions that a row
/// compares share its noise and timestep.
package protocol TrainingObjective: Sendable {
    /// The loss over a microbatch, a scalar.
    ///
    /// - Parameters:
    ///   - batch: the microbatch.
    ///   - policies: the networks that the loss compares.
    func callAsFunction(_ batch: TrainingBatch, _ policies: Policies) -> Tensor

    /// How many times the slope of a mean squared error the loss has at most, about; ``LossScale`` asks.
    var steepness: Double { get }
}

extension TrainingObjective {
    package var steepness: Double { 1 }
}

/// A UNet with the adapters that it runs with.
package struct Network: Sendable {
    package let unet: UNet2DConditionModel
    /// By layer path; empty where the weights themselves are trained.
    package let adapters: [String: any LinearAdapter]

    package init(_ unet: UNet2DConditionModel, adapters: [String: any LinearAdapter] = [:]) {
        (self.unet, self.adapters) = (unet, adapters)
    }
}

/// The networks that a loss compares.
package struct Policies: Sendable {
    /// The one that is trained.
    package let current: Network
    /// What it is held against: the model without the adapter, or the policy that the run began with.
    package let reference: Network?
    /// Whether transformer blocks of the trained network are run again in the backward pass instead of keeping
    /// activations.
    package let checkpointing: Bool

    package init(current: Network, reference: Network? = nil, checkpointing: Bool = false) {
        (self.current, self.reference, self.checkpointing) = (current, reference, checkpointing)
    }

    /// What the trained network predicts.
    ///
    /// - Parameters:
    ///   - noisy: `[N, h, w, C]`.
    ///   - timesteps: N of them.
    ///   - batch: whose texts and added conditions `texts` refers to.
    ///   - texts: which text each row has: N of them, or a multiple of N, where the images repeat.
    func predict(_ noisy: Tensor, timesteps: [Int], _ batch: TrainingBatch, texts: [Int]) -> Tensor {
        Self.predict(current, noisy, timesteps: timesteps, batch, texts: texts, checkpointing: checkpointing)
    }

    /// The same of the reference, off the tape.
    func predictReference(_ noisy: Tensor, timesteps: [Int], _ batch: TrainingBatch, texts: [Int]) -> Tensor {
        guard let reference else { preconditionFailure("this loss needs a reference") }
        return Self.predict(reference, noisy, timesteps: timesteps, batch, texts: texts, checkpointing: false).detached
    }

    private static func predict(
        _ network: Network, _ noisy: Tensor, timesteps: [Int], _ batch: TrainingBatch, texts: [Int],
        checkpointing: Bool
    ) -> Tensor {
        let context = ForwardContext(adapters: network.adapters, checkpointing: checkpointing, texts: texts)
        guard let added = batch.added else {
            return network.unet(noisy, timesteps: timesteps.map(Float.init), text: batch.text, in: context)
        }
        // SDXL tells texts apart from the first layer on.
        let times = texts.count / max(timesteps.count, 1)
        return network.unet(
            times == 1 ? noisy : noisy.repeated(times),
            timesteps: Array(repeating: timesteps.map(Float.init), count: times).flatMap { $0 }, text: batch.text,
            added: AddedConditions(pooled: added.pooled.samples(texts), timeIDs: texts.map { added.timeIDs[$0] }),
            in: context)
    }
}
