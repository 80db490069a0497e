import Diffusion
import Foundation
import Tensors
import Testing
import Tuning

/// Names, types and shapes of other programs' adapters; the images are compared in Tests/Interop/adapter_interop.py.
@Suite struct AdapterStylesTests {
    private let folder: TemporaryFolder
    private var file: URL { folder.url.appendingPathComponent("lora.safetensors") }

    init() throws { folder = try TemporaryFolder() }

    private func load(_ tensors: [String: Tensor], integers: [String: [Int64]] = [:]) throws -> StoredAdapter {
        try SafetensorsWriter.data(tensors, integers: integers).write(to: file)
        return try AdapterFile.load(file)
    }

    private func refusal(_ tensors: [String: Tensor]) -> String {
        do {
            _ = try load(tensors)
            return "none"
        } catch { return "\(error)" }
    }

    private func factors(_ stem: String, _ down: String, _ up: String) -> [String: Tensor] {
        [stem + down: randomTensor([2, 5], seed: 1), stem + up: randomTensor([4, 2], seed: 2)]
    }

    private static let kohya = (".lora_down.weight", ".lora_up.weight")
    private static let peft = (".lora_A.weight", ".lora_B.weight")

    @Test(arguments: [
        ("lora_unet_input_blocks_4_1_proj_in", "unet down_blocks.1.attentions.0.proj_in"),
        (
            "lora_unet_input_blocks_8_1_transformer_blocks_9_attn2_to_out_0",
            "unet down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_out.0"
        ),
        ("lora_unet_input_blocks_3_0_op", "unet down_blocks.0.downsamplers.0.conv"),
        ("lora_unet_input_blocks_5_0_in_layers_2", "unet down_blocks.1.resnets.1.conv1"),
        ("lora_unet_input_blocks_4_0_skip_connection", "unet down_blocks.1.resnets.0.conv_shortcut"),
        ("lora_unet_input_blocks_0_0", "unet conv_in"), ("lora_unet_out_2", "unet conv_out"),
        ("lora_unet_middle_block_1_proj_out", "unet mid_block.attentions.0.proj_out"),
        ("lora_unet_middle_block_2_out_layers_3", "unet mid_block.resnets.1.conv2"),
        ("lora_unet_output_blocks_5_2_conv", "unet up_blocks.1.upsamplers.0.conv"),
        ("lora_unet_output_blocks_2_1_conv", "unet up_blocks.0.upsamplers.0.conv"),
        (
            "lora_unet_output_blocks_3_1_transformer_blocks_1_ff_net_0_proj",
            "unet up_blocks.1.attentions.0.transformer_blocks.1.ff.net.0.proj"
        ),
        ("lora_unet_output_blocks_8_0_emb_layers_1", "unet up_blocks.2.resnets.2.time_emb_proj"),
        ("lora_unet_time_embed_2", "unet time_embedding.linear_2"),
        ("lora_unet_label_emb_0_0", "unet add_embedding.linear_1"),
        ("lora_unet_down_blocks_0_resnets_1_time_emb_proj", "unet down_blocks.0.resnets.1.time_emb_proj"),
        ("lora_unet_up_blocks_1_resnets_0_conv_shortcut", "unet up_blocks.1.resnets.0.conv_shortcut"),
        (
            "lora_te_text_model_encoder_layers_11_self_attn_out_proj",
            "text_encoder encoder.layers.11.self_attn.out_proj"
        ),
        ("lora_te1_text_model_encoder_layers_0_mlp_fc1", "text_encoder encoder.layers.0.mlp.fc1"),
        ("lora_te2_text_model_encoder_layers_31_self_attn_q_proj", "text_encoder_2 encoder.layers.31.self_attn.q_proj"),
        ("lora_te2_text_projection", "text_encoder_2 text_projection"),
    ])
    func flatNames(name: String, layer: String) throws {
        let stored = try load(factors(name, Self.kohya.0, Self.kohya.1))
        #expect(stored.layers.flatMap { part in part.value.keys.map { "\(part.key.rawValue) \($0)" } } == [layer])
    }

    @Test(arguments: [
        ("unet.mid_block.attn1.processor.to_q_lora", ".down.weight", ".up.weight", "unet mid_block.attn1.to_q"),
        ("mid_block.attn1.processor.to_out_lora", ".down.weight", ".up.weight", "unet mid_block.attn1.to_out.0"),
        ("unet.mid_block.attn1.to_k.lora", ".down.weight", ".up.weight", "unet mid_block.attn1.to_k"),
        (
            "base_model.model.mid_block.attn1.to_v", ".lora_A.mine.weight", ".lora_B.mine.weight",
            "unet mid_block.attn1.to_v"
        ),
        ("base_model.model.unet.mid_block.proj_in", ".lora_A.weight", ".lora_B.weight", "unet mid_block.proj_in"),
        (
            "base_model.model.text_model.encoder.layers.0.mlp.fc2", ".lora_A.weight", ".lora_B.weight",
            "text_encoder encoder.layers.0.mlp.fc2"
        ),
        (
            "text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora", ".down.weight", ".up.weight",
            "text_encoder encoder.layers.0.self_attn.out_proj"
        ),
        (
            "text_encoder_2.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer", ".down.weight", ".up.weight",
            "text_encoder_2 encoder.layers.0.mlp.fc1"
        ),
        (
            "text_encoder.encoder.layers.0.self_attn.k_proj", ".lora_A.weight", ".lora_B.weight",
            "text_encoder encoder.layers.0.self_attn.k_proj"
        ),
    ])
    func dottedNames(stem: String, down: String, up: String, layer: String) throws {
        let stored = try load(factors(stem, down, up))
        #expect(stored.layers.flatMap { part in part.value.keys.map { "\(part.key.rawValue) \($0)" } } == [layer])
    }

    /// Blocks of a UNet with other numbers of layers.
    @Test func originalBlocksFollowTheModel() throws {
        try SafetensorsWriter.data(factors("lora_unet_input_blocks_4_0_op", Self.kohya.0, Self.kohya.1)).write(to: file)
        let stored = try AdapterFile.load(file) { [3, 1] }
        #expect(stored.layers[.unet]?.keys.first == "down_blocks.0.downsamplers.0.conv")
        #expect(throws: AdapterError.self) { try AdapterFile.load(file) { [1] } }
    }

    @Test(arguments: [
        ("diffusion_model.input_blocks.1.1.proj_in", "begins with 'diffusion_model'"),
        ("unet.base_model.model.mid_block.proj_in", "begins with 'unet.base_model'"),
        ("transformer.single_transformer_blocks.0.attn.to_q", "Flux"),
        ("lora_unet_double_blocks_0_img_attn_proj", "Flux"),
        ("lora_te3_encoder_block_0", "third text encoder"),
        ("lycoris_mid_block_proj_in", "begins with 'lycoris_mid_block_proj_in'"),
        ("lora_unet_input_blocks_99_1_proj_in", "no UNet of Stable Diffusion has"),
        ("lora_unet_output_blocks_-9223372036854775808_1_proj_in", "no UNet of Stable Diffusion has"),
    ])
    func foreignNamesSayWhatWasFound(stem: String, says: String) {
        let said = refusal(factors(stem, Self.peft.0, Self.peft.1))
        #expect(said.contains(says) && said.contains(stem) && !said.contains("trained on"), "\(said)")
    }

    @Test(arguments: [
        ("lora_unet_mid_block_proj_in.hada_w1_a", "LoHa"), ("lora_unet_mid_block_proj_in.lokr_w1", "LoKr"),
        ("lora_unet_mid_block_proj_in.diff", "full difference"), ("unet.mid_block.proj_in.lora_B.bias", "bias"),
        ("emb_params", "textual inversion"), ("unet.mid_block.proj_in.weight", "not a LoRA or DoRA tensor"),
    ])
    func otherMethodsAreNamed(key: String, says: String) {
        #expect(refusal([key: Tensor(zeros: [2])]).contains(says), "\(refusal([key: Tensor(zeros: [2])]))")
    }

    @Test func alphasOfAnyType() throws {
        let stem = "lora_unet_mid_block_proj_in"
        let whole = try load(factors(stem, Self.kohya.0, Self.kohya.1), integers: [stem + ".alpha": [3]])
        #expect(whole.layers[.unet]?["mid_block.proj_in"]?.scale == 1.5)
        let header =
            #"{"\#(stem).alpha":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"#
            + #""\#(stem).lora_down.weight":{"dtype":"F64","shape":[1,2],"data_offsets":[8,24]},"#
            + #""\#(stem).lora_up.weight":{"dtype":"F64","shape":[1,1],"data_offsets":[24,32]}}"#
        var bytes = Data()
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes += Data(header.utf8)
        for value in [0.5, 1, -2, 4] {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        try bytes.write(to: file)
        let layer = try #require(try AdapterFile.load(file).layers[.unet]?["mid_block.proj_in"])
        #expect(layer.scale == 0.5 && layer.factors.down.values == [1, -2] && layer.factors.up.values == [4])
        #expect(refusal([stem + ".alpha": Tensor(zeros: [2])]).contains("2 numbers"))
    }

    // MARK: Folding

    /// ΔW of a convolution by plain loops, where the file may have a kernel of its own in the middle.
    @Test(arguments: [false, true]) func convolutionsAreFolded(hasMiddle: Bool) throws {
        let (outputs, inputs, rank) = (3, 4, 2)
        let down = randomTensor(hasMiddle ? [rank, inputs, 1, 1] : [rank, inputs, 3, 3], seed: 1)
        let up = randomTensor([outputs, rank, 1, 1], seed: 2)
        let middle = randomTensor([rank, rank, 3, 3], seed: 3)
        let stem = "lora_unet_mid_block_resnets_0_conv1"
        var tensors = [
            stem + ".lora_down.weight": down, stem + ".lora_up.weight": up,
            stem + ".alpha": Tensor(filled: 3, shape: []),
        ]
        if hasMiddle { tensors[stem + ".lora_mid.weight"] = middle }
        let folding = AdapterFolding(try load(tensors))
        let weight = randomTensor([outputs, inputs, 3, 3], seed: 4)
        var expected = weight.values
        for o in 0..<outputs {
            for i in 0..<inputs {
                for tap in 0..<9 {
                    for p in 0..<rank {
                        var value: Float = 0
                        if hasMiddle {
                            for q in 0..<rank {
                                value += middle.values[(p * rank + q) * 9 + tap] * down.values[q * inputs + i]
                            }
                        } else {
                            value = down.values[(p * inputs + i) * 9 + tap]
                        }
                        expected[(o * inputs + i) * 9 + tap] += 1.5 * up.values[o * rank + p] * value
                    }
                }
            }
        }
        let folded = try folding.fold(weight, at: "mid_block.resnets.0.conv1", of: .unet)
        #expect(folded.shape == weight.shape && relativeError(folded.values, expected) < 1e-6)
        try folding.checkAllMet()
        // A linear layer is not a convolution of as many values.
        #expect(throws: ModelError.self) {
            try folding.fold(randomTensor([outputs, inputs * 9], seed: 4), at: "mid_block.resnets.0.conv1", of: .unet)
        }
    }

    /// SD-1.x has 1×1 convolutions around its transformers: files have their factors either way.
    @Test func pointwiseConvolutionsAreLinearLayers() throws {
        let (down, up) = (randomTensor([2, 5], seed: 1), randomTensor([4, 2], seed: 2))
        let stem = "lora_unet_mid_block_attentions_0_proj_in"
        let flat = try load([stem + Self.kohya.0: down, stem + Self.kohya.1: up])
        let square = try load([
            stem + Self.kohya.0: down.reshaped([2, 5, 1, 1]), stem + Self.kohya.1: up.reshaped([4, 2, 1, 1]),
        ])
        let weight = randomTensor([4, 5], seed: 3)
        let expected = (weight + matmul(up, down)).values
        for stored in [flat, square] {
            for shape in [[4, 5], [4, 5, 1, 1]] {
                let folded = try AdapterFolding(stored).fold(
                    weight.reshaped(shape), at: "mid_block.attentions.0.proj_in", of: .unet)
                #expect(folded.shape == shape)
                let error = relativeError(folded.values, expected)
                #expect(error < 1e-6, "\(shape): \(error), \(folded.values) beside \(expected)")
            }
        }
    }

    @Test func magnitudesAreByOutput() throws {
        let stem = "lora_unet_mid_block_attentions_0_proj_in"
        let (down, up) = (randomTensor([2, 5], seed: 1), randomTensor([4, 2], seed: 2))
        let magnitude = Tensor(shape: [4], values: [1, 2, 3, 4])
        let base = [stem + Self.kohya.0: down, stem + Self.kohya.1: up]
        for shape in [[4], [4, 1], [4, 1, 1, 1]] {
            let stored = try load(base.merging([stem + ".dora_scale": magnitude.reshaped(shape)]) { $1 })
            let folded = try AdapterFolding(stored).fold(
                randomTensor([4, 5], seed: 3), at: "mid_block.attentions.0.proj_in", of: .unet)
            for row in 0..<4 {
                let length = folded.values[row * 5..<row * 5 + 5].reduce(0) { $0 + $1 * $1 }.squareRoot()
                #expect(abs(length - Float(row + 1)) < 1e-5)
            }
        }
        #expect(
            refusal(base.merging([stem + ".dora_scale": Tensor(zeros: [1, 5])]) { $1 }).contains("one length an input"))
        #expect(refusal(base.merging([stem + ".dora_scale": Tensor(zeros: [7])]) { $1 }).contains("for 4 outputs"))
    }

    @Test func damagedFactorsAreNamed() throws {
        let stem = "lora_unet_mid_block_attentions_0_proj_in"
        var tensors = factors(stem, Self.kohya.0, Self.kohya.1)
        var values = randomTensor([2, 5], seed: 1).values
        values[3] = .nan
        tensors[stem + Self.kohya.0] = Tensor(shape: [2, 5], values: values)
        #expect(refusal(tensors).contains("'\(stem).lora_down.weight' holds NaN"), "\(refusal(tensors))")
        #expect(
            refusal([stem + Self.kohya.0: Tensor(zeros: [2, 5]), stem + Self.kohya.1: Tensor(zeros: [4, 3])]).contains(
                "do not fit"))
        #expect(
            refusal([stem + Self.kohya.0: Tensor(zeros: [0, 5]), stem + Self.kohya.1: Tensor(zeros: [4, 0])]).contains(
                "factors"))
        #expect(
            refusal([stem + Self.kohya.0: Tensor(zeros: []), stem + Self.kohya.1: Tensor(zeros: [])]).contains(
                "factors"))
        let twice = factors(stem, Self.kohya.0, Self.kohya.1)
            .merging(factors("unet.mid_block.attentions.0.proj_in", Self.peft.0, Self.peft.1)) { $1 }
        #expect(refusal(twice).contains("twice"))
    }

    @Test func whatTheModelLacksIsNamed() throws {
        let folding = AdapterFolding(try load(factors("lora_te2_text_projection", Self.kohya.0, Self.kohya.1)))
        let error = #expect(throws: AdapterError.self) { try folding.checkAllMet() }
        #expect("\(try #require(error))".contains("text_encoder_2, which this model does not have"))
        let unet = AdapterFolding(
            try load(factors("lora_unet_mid_block_attentions_7_proj_in", Self.kohya.0, Self.kohya.1)))
        let other = #expect(throws: AdapterError.self) { try unet.checkAllMet() }
        #expect("\(try #require(other))".contains("mid_block.attentions.7.proj_in"))
    }

    /// Training changes the UNet's linear layers alone.
    @Test func whatCannotBeTrainedOnIsRefused() throws {
        let both = factors("lora_unet_mid_block_attentions_0_proj_in", Self.kohya.0, Self.kohya.1)
            .merging(factors("lora_te_text_model_encoder_layers_0_mlp_fc1", Self.kohya.0, Self.kohya.1)) { $1 }
        let stored = try load(both)
        let error = #expect(throws: AdapterError.self) { try stored.trainable() }
        #expect("\(try #require(error))".contains("1 layers of the text encoder"))
    }

    /// Settings of diffusers' files are by network, those of PEFT's folders for all.
    @Test func settingsAreByNetwork() throws {
        let tensors = factors("unet.mid_block.proj_in", Self.peft.0, Self.peft.1)
            .merging(factors("text_encoder.encoder.layers.0.mlp.fc1", Self.peft.0, Self.peft.1)) { $1 }
        let settings = #"{"unet.lora_alpha": 6, "unet.r": 2, "text_encoder.lora_alpha": 1, "text_encoder.r": 2}"#
        try SafetensorsWriter.data(tensors, metadata: ["lora_adapter_metadata": settings]).write(to: file)
        let stored = try AdapterFile.load(file)
        #expect(stored.layers[.unet]?["mid_block.proj_in"]?.scale == 3)
        #expect(stored.layers[.textEncoder]?["encoder.layers.0.mlp.fc1"]?.scale == 0.5)
    }

    @Test func filesAreFoundInFolders() throws {
        let place = folder.url.appendingPathComponent("download")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        func said() -> String {
            do {
                return "\(try AdapterFile.load(place).layers.count)"
            } catch { return "\(error)" }
        }
        #expect(said().contains("there is no pytorch_lora_weights.safetensors"))
        try Data([0x80, 2]).write(to: place.appendingPathComponent("pytorch_lora_weights.bin"))
        #expect(said().contains("PyTorch pickle"))
        let data = SafetensorsWriter.data(factors("lora_unet_mid_block_proj_in", Self.kohya.0, Self.kohya.1))
        try data.write(to: place.appendingPathComponent("style.safetensors"))
        #expect(said() == "1")
        try data.write(to: place.appendingPathComponent("other.safetensors"))
        #expect(said().contains("other.safetensors, style.safetensors"))
        try data.write(to: place.appendingPathComponent("pytorch_lora_weights.safetensors"))
        #expect(said() == "1")
        try Data("version https://git-lfs.github.com/spec/v1\n".utf8)
            .write(to: place.appendingPathComponent("pytorch_lora_weights.safetensors"))
        #expect(said().contains("git-lfs pointer"))
    }
}
