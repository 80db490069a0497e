import Diffusion

/// A layer's name in which kohya's scripts have made underscores of dots: `lora_unet_mid_block_attentions_0_proj_in`.
struct FlatAdapterName {
    let component: ModelComponent
    /// The name between dots.
    let words: [String]

    private static let prefixes: [(prefix: String, component: ModelComponent)] = [
        ("lora_unet_", .unet), ("lora_te_", .textEncoder), ("lora_te1_", .textEncoder), ("lora_te2_", .textEncoder2),
    ]

    /// Nil for a name of another kind.
    init?(_ name: String) throws(AdapterTensorName.Refusal) {
        guard let (prefix, component) = Self.prefixes.first(where: { name.hasPrefix($0.prefix) }) else {
            if name.hasPrefix("lora_te3_") {
                throw AdapterTensorName.Refusal(
                    "is of a third text encoder, as Stable Diffusion 3 has: this adapter is for another kind of model")
            }
            return nil
        }
        self.component = component
        words = Self.split(name.dropFirst(prefix.count))
        if let root = words.first, ["double", "single", "joint"].contains(root) {
            throw AdapterTensorName.Refusal(
                "is of a transformer such as Flux or Stable Diffusion 3, which Attune does not run: this adapter is for "
                    + "another kind of model")
        }
    }

    /// Module names that have underscores of their own.
    private static let compounds = [
        "down_blocks", "up_blocks", "mid_block", "transformer_blocks", "to_q", "to_k", "to_v", "to_out", "proj_in",
        "proj_out", "time_emb_proj", "time_embedding", "add_embedding", "linear_1", "linear_2", "conv_in", "conv_out",
        "conv_shortcut",
        // The original UNet.
        "input_blocks", "middle_block", "output_blocks", "in_layers", "out_layers", "emb_layers", "skip_connection",
        "time_embed", "label_emb",
        // CLIP.
        "text_model", "self_attn", "q_proj", "k_proj", "v_proj", "out_proj", "text_projection", "token_embedding",
        "position_embedding", "final_layer_norm", "layer_norm1", "layer_norm2",
    ]

    private static func split(_ flat: Substring) -> [String] {
        var words: [String] = []
        var rest = flat
        while !rest.isEmpty {
            let word =
                compounds.first { rest == $0 || rest.hasPrefix($0 + "_") } ?? String(rest.prefix { $0 != "_" })
            words.append(word)
            rest = rest.dropFirst(word.count + 1)
        }
        return words
    }
}

/// The layers of a UNet as the original Stable Diffusion and SDXL code names them, which kohya's scripts keep for SDXL:
/// blocks are counted in one row, `input_blocks.4.1`, where diffusers counts levels and layers, `down_blocks.1.attentions.0`.
enum OriginalUNetNames {
    /// The diffusers name of a layer; other names stay as they are.
    ///
    /// - Parameter blocks: layers of each level, from the top.
    static func translated(_ words: [String], _ blocks: () throws -> [Int]) throws -> [String] {
        func numbers(_ at: Int...) -> [Int]? {
            let found = at.compactMap { words.indices.contains($0) ? Int(words[$0]) : nil }
            return found.count == at.count && found.allSatisfy { (0..<1000).contains($0) } ? found : nil
        }
        let unknown = AdapterTensorName.Refusal(
            "names the layer '\(words.joined(separator: "."))', which no UNet of Stable Diffusion has")
        switch words.first {
        case "input_blocks":
            guard let at = numbers(1, 2) else { throw unknown }
            if at == [0, 0] { return ["conv_in"] + words.dropFirst(3) }
            guard let place = down(at[0], try blocks()) else { throw unknown }
            let level = ["down_blocks", "\(place.level)"]
            guard let layer = place.layer else {
                guard at[1] == 0, words.dropFirst(3).first == "op" else { throw unknown }
                return level + ["downsamplers", "0", "conv"]
            }
            return level + inner(at[1], layer: layer, Array(words.dropFirst(3)))
        case "output_blocks":
            guard let at = numbers(1, 2), let place = up(at[0], try blocks()) else { throw unknown }
            let level = ["up_blocks", "\(place.level)"]
            let rest = Array(words.dropFirst(3))
            // The upsampler comes after the transformer, or in its place where a level has none.
            if rest.first == "conv" { return level + ["upsamplers", "0"] + rest }
            return level + inner(at[1], layer: place.layer, rest)
        case "middle_block":
            guard let at = numbers(1), (0...2).contains(at[0]) else { throw unknown }
            return ["mid_block"] + inner(at[0] == 1 ? 1 : 0, layer: at[0] / 2, Array(words.dropFirst(2)))
        case "time_embed":
            guard let at = numbers(1), [0, 2].contains(at[0]) else { throw unknown }
            return ["time_embedding", at[0] == 0 ? "linear_1" : "linear_2"]
        case "label_emb":
            guard let at = numbers(1, 2), at[0] == 0, [0, 2].contains(at[1]) else { throw unknown }
            return ["add_embedding", at[1] == 0 ? "linear_1" : "linear_2"]
        case "out": return numbers(1) == [2] ? ["conv_out"] : words
        default: return words
        }
    }

    /// What is inside a block: 0 a resnet, 1 a transformer.
    private static func inner(_ index: Int, layer: Int, _ rest: [String]) -> [String] {
        guard index == 0 else { return ["attentions", "\(layer)"] + rest }
        let names = [
            "in_layers.2": "conv1", "out_layers.3": "conv2", "emb_layers.1": "time_emb_proj",
            "skip_connection": "conv_shortcut",
        ]
        return ["resnets", "\(layer)", names[rest.joined(separator: ".")] ?? rest.joined(separator: ".")]
    }

    /// Level and layer of an input block; no layer for the downsampler that ends a level.
    private static func down(_ block: Int, _ layers: [Int]) -> (level: Int, layer: Int?)? {
        var rest = block - 1
        for (level, count) in layers.enumerated() {
            if rest < count { return rest < 0 ? nil : (level, rest) }
            if rest == count { return (level, nil) }
            rest -= count + 1
        }
        return nil
    }

    /// Level on the way up and layer of an output block.
    private static func up(_ block: Int, _ layers: [Int]) -> (level: Int, layer: Int)? {
        var rest = block
        for (level, count) in layers.reversed().enumerated() {
            if rest <= count { return rest < 0 ? nil : (level, rest) }
            rest -= count + 1
        }
        return nil
    }
}
