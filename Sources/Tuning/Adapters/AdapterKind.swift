/// How an adapter changes a linear layer.
package enum AdapterKind: String, Codable, Sendable, CaseIterable {
    /// Weight-decomposed: direction by W + sBA, length by a trained magnitude per row (arXiv 2402.09353).
    case dora
    /// Low-rank: W + sBA (arXiv 2106.09685).
    case lora
}

/// Which linear layers of a UNet's transformer blocks carry an adapter, or that its own weights are trained.
package enum AdapterTargets: String, Codable, Sendable, CaseIterable {
    case attention
    case feedForward = "ff"
    /// Both, as in the paper.
    case attentionAndFeedForward = "attention+ff"
    /// No adapter: every weight of the UNet is trained.
    case all

    private static let attentionModules = ["to_q", "to_k", "to_v", "to_out.0"]
    private static let feedForwardModules = ["ff.net.0.proj", "ff.net.2"]

    /// Names of modules as PEFT's `target_modules` spells them.
    package var moduleNames: [String] {
        switch self {
        case .attention: Self.attentionModules
        case .feedForward: Self.feedForwardModules
        case .attentionAndFeedForward: Self.attentionModules + Self.feedForwardModules
        case .all: []
        }
    }

    /// Whether the layer at `path` is meant: PEFT's rule, a whole suffix of the dotted path.
    package func contains(_ path: String) -> Bool {
        moduleNames.contains { path == $0 || path.hasSuffix("." + $0) }
    }
}
