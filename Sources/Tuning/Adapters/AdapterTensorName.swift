/// What a tensor's name in an adapter file says: which layer it belongs to, and as what.
struct AdapterTensorName {
    enum Part: Hashable {
        case down, up, magnitude
        /// One number: the layer's own alpha.
        case alpha
    }

    let path: String
    let part: Part

    private static let endings: [(ending: String, part: Part)] = [
        (AdapterKey.down, .down), (".lora_A.default.weight", .down), (".lora.down.weight", .down),
        (".lora_down.weight", .down),
        (AdapterKey.up, .up), (".lora_B.default.weight", .up), (".lora.up.weight", .up), (".lora_up.weight", .up),
        (AdapterKey.magnitude, .magnitude), (AdapterKey.magnitude + ".weight", .magnitude),
        (AdapterKey.magnitude + ".default", .magnitude), (AdapterKey.magnitude + ".default.weight", .magnitude),
        (".dora_scale", .magnitude), (".alpha", .alpha),
    ]

    /// Nil for a name that no adapter of a UNet's linear layers has.
    init?(_ key: String) {
        var key = Substring(key)
        for lead in ["base_model.model.", "unet."] where key.hasPrefix(lead) { key = key.dropFirst(lead.count) }
        guard let (ending, part) = Self.endings.first(where: { key.hasSuffix($0.ending) }) else { return nil }
        let name = key.dropLast(ending.count)
        guard !name.hasPrefix("text_encoder"), !name.hasPrefix("lora_te") else { return nil }
        let flat = "lora_unet_"
        path = name.hasPrefix(flat) ? Self.path(name.dropFirst(flat.count)) : String(name)
        self.part = part
    }

    /// Module names of a UNet that have underscores of their own.
    private static let compounds = [
        "down_blocks", "up_blocks", "mid_block", "transformer_blocks", "to_q", "to_k", "to_v", "to_out", "proj_in",
        "proj_out", "time_emb_proj", "time_embedding", "linear_1", "linear_2",
    ]

    /// The dotted path behind a name in which kohya's scripts have made underscores of dots.
    private static func path(_ flat: Substring) -> String {
        var words: [String] = []
        var rest = flat
        while !rest.isEmpty {
            let word =
                Self.compounds.first { rest == $0 || rest.hasPrefix($0 + "_") } ?? String(rest.prefix { $0 != "_" })
            words.append(word)
            rest = rest.dropFirst(word.count + 1)
        }
        return words.joined(separator: ".")
    }
}
