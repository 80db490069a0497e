import Tensors
import Synchronization

/// What accompanies one pass through a UNet without being its input.
package struct ForwardContext: Sendable {
    /// By the checkpoint path of the layer that each changes.
    package var adapters: [String: any LinearAdapter]
    /// Whether transformer blocks are run again in the backward pass instead of keeping what is inside them. Resnet
    /// blocks are not: with frozen kernels they keep two tensors each.
    package var checkpointing: Bool
    /// Which of the texts each image goes with, where several share one; nil where each has its own. What depends on the
    /// text alone is then computed once for each text.
    package var texts: [Int]?
    /// Set where the text stays the same over many passes.
    package var crossAttention: CrossAttentionCache?

    package init(
        adapters: [String: any LinearAdapter] = [:], checkpointing: Bool = false, texts: [Int]? = nil,
        crossAttention: CrossAttentionCache? = nil
    ) {
        (self.adapters, self.checkpointing) = (adapters, checkpointing)
        (self.texts, self.crossAttention) = (texts, crossAttention)
    }

    /// What was computed by texts, by images.
    func byImage(_ perText: Tensor) -> Tensor {
        guard let texts, !texts.elementsEqual(0..<perText.shape[0]) else { return perText }
        return perText.samples(texts)
    }

    /// Runs a block, under gradient checkpointing where asked.
    func block(_ inputs: [Tensor], _ body: @escaping @Sendable ([Tensor]) -> Tensor) -> Tensor {
        checkpointing ? checkpoint(inputs, body) : body(inputs)
    }
}

/// Keys and values of the text by layer: during sampling the text does not change from step to step, so its projections
/// are computed in the first step only.
package final class CrossAttentionCache: Sendable {
    private let entries = Mutex<[String: (Tensor, Tensor)]>([:])

    package init() {}

    func keysAndValues(_ path: String, _ make: () -> (Tensor, Tensor)) -> (Tensor, Tensor) {
        if let present = entries.withLock({ $0[path] }) { return present }
        let made = make()
        entries.withLock { $0[path] = made }
        return made
    }
}
