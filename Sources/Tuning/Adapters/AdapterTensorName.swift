import Diffusion

/// What a tensor's name in an adapter file says: which layer of which network it belongs to, and as what.
///
/// Read are the names of diffusers (`unet.<path>.lora_A.weight`), PEFT (`base_model.model.<path>…`), diffusers before
/// 0.22 (`…attn1.processor.to_q_lora.down.weight`) and kohya's scripts, LyCORIS and A1111
/// (`lora_unet_<path with underscores>…`), the last with diffusers' or the original blocks of a UNet
/// (``OriginalUNetNames``).
struct AdapterTensorName {
    enum Part: Hashable {
        case down, up
        /// The kernel between them, of convolutions in CP decomposition.
        case middle
        /// PEFT's, one length per output.
        case magnitude
        /// LyCORIS's `dora_scale`, one length per output or per input.
        case doraScale
        /// One number: the layer's own alpha.
        case alpha
    }

    /// Why a name is refused, to be read after "tensor '…' ".
    struct Refusal: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    let component: ModelComponent
    /// With dots, as the model's own checkpoint has it; in text encoders without `text_model.`.
    let path: String
    let part: Part

    /// - Parameter blocks: how many layers each level of the UNet has, asked for where a name has the original blocks.
    init(_ key: String, blocks: () throws -> [Int]) throws {
        var words = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        part = try Self.takePart(&words)
        if words.starts(with: ["base_model", "model"]) { words.removeFirst(2) }
        if words.count == 1, let flat = try FlatAdapterName(words[0]) {
            component = flat.component
            words = try OriginalUNetNames.translated(flat.words, blocks)
        } else if let first = words.first, let named = ModelComponent(rawValue: first), named != .vae {
            component = named
            words.removeFirst()
        } else {
            component = Self.textRoots.contains(words.first ?? "") ? .textEncoder : .unet
        }
        words.removeAll { $0 == "processor" }
        if component != .unet, words.first == "text_model" { words.removeFirst() }
        let roots = component == .unet ? Self.unetRoots : Self.textRoots
        guard let root = words.first, roots.contains(root) else { throw Self.foreign(key, words, component) }
        path = Self.path(words, component, part)
    }

    // MARK: Endings

    /// Takes the ending off a name, and says what it stands for.
    private static func takePart(_ words: inout [String]) throws -> Part {
        let whole = words
        func word(_ back: Int) -> String { whole.count >= back ? whole[whole.count - back] : "" }
        func take(_ count: Int, _ part: Part) -> Part {
            words = Array(whole.dropLast(count))
            return part
        }
        if let at = whole.suffix(3).lastIndex(of: "lora_magnitude_vector") { return take(whole.count - at, .magnitude) }
        switch word(1) {
        case "dora_scale": return take(1, .doraScale)
        case "alpha": return take(["lora", "lora_linear_layer"].contains(word(2)) ? 2 : 1, .alpha)
        case "weight":
            let parts: [String: Part] = [
                "lora_A": .down, "lora_down": .down, "down": .down, "lora_B": .up, "lora_up": .up, "up": .up,
                "lora_mid": .middle, "mid": .middle,
            ]
            if let part = parts[word(2)] {
                if word(2).hasPrefix("lora_") { return take(2, part) }
                if ["lora", "lora_linear_layer"].contains(word(3)) { return take(3, part) }
                if word(3).hasSuffix("_lora") { return take(2, part) }
            }
            // PEFT puts the adapter's name between.
            if ["lora_A", "lora_B"].contains(word(3)), let part = parts[word(3)] { return take(3, part) }
        case "bias" where whole.contains("lora_B"):
            throw Refusal("trains a bias (PEFT's lora_bias), which is not supported: train without it")
        default: break
        }
        throw Refusal(otherMethod(whole))
    }

    private static func otherMethod(_ words: [String]) -> String {
        let methods = [
            ("hada_", "LoHa"), ("lokr_", "LoKr"), ("oft_", "OFT"), ("glora", "GLoRA"), ("on_input", "IA3"),
            ("boft", "BOFT"), ("diff", "a full difference of weights"), ("w_norm", "trained norms"),
            ("b_norm", "trained norms"), ("lora_embedding_", "LoRA of token embeddings"),
        ]
        for word in words.suffix(3) {
            guard let (_, method) = methods.first(where: { word.hasPrefix($0.0) }) else { continue }
            return "is of \(method), which is not supported: adapters are LoRA or DoRA"
        }
        if words.count == 1, ["emb_params", "clip_l", "clip_g"].contains(words[0]) {
            return "is a textual inversion embedding, not an adapter: add it to the model with diffusers' "
                + "load_textual_inversion and save_pretrained"
        }
        return "is not a LoRA or DoRA tensor as diffusers, PEFT or kohya's scripts name them"
    }

    // MARK: Layers

    private static let unetRoots: Set = [
        "down_blocks", "mid_block", "up_blocks", "conv_in", "conv_out", "time_embedding", "add_embedding",
    ]
    private static let textRoots: Set = [
        "text_model", "encoder", "embeddings", "final_layer_norm", "text_projection",
    ]

    private static func foreign(_ key: String, _ words: [String], _ component: ModelComponent) -> Refusal {
        let root = words.first ?? ""
        let transformers = ["transformer", "double_blocks", "single_blocks", "joint_blocks", "transformer_blocks"]
        if transformers.contains(root) || transformers.contains(where: { root.hasPrefix("lora_\($0)") }) {
            return Refusal(
                "is of a transformer such as Flux or Stable Diffusion 3, which Attune does not run: this adapter is for "
                    + "another kind of model")
        }
        let fronts = [root, "\(component.rawValue).\(root)", "lora_unet_\(root)"]
        let found = fronts.first { key.hasPrefix($0) } ?? root
        let network = component == .unet ? "a UNet" : "a text encoder"
        return Refusal(
            "begins with '\(found)', where diffusers, PEFT and kohya's scripts have a layer of \(network), such as "
                + "'unet.down_blocks' or 'lora_unet_': rename the tensors so")
    }

    /// Old names of attention layers become today's.
    private static func path(_ words: [String], _ component: ModelComponent, _ part: Part) -> String {
        var words = words
        if let last = words.last {
            let text = ["to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"]
            let isOld = last.hasSuffix("_lora")
            let name = isOld ? String(last.dropLast(5)) : last
            if component != .unet, isOld || part == .magnitude, let present = text[name] {
                words[words.count - 1] = present
            } else if isOld || (name == "to_out" && component == .unet) {
                words[words.count - 1] = name
                if name == "to_out" { words.append("0") }
            }
        }
        return words.joined(separator: ".")
    }
}
