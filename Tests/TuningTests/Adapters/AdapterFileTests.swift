import Diffusion
import Foundation
import Tensors
import Testing
import Tuning

@Suite struct AdapterFileTests {
    private let folder: TemporaryFolder
    private var file: URL { folder.url.appendingPathComponent(AdapterFile.name) }

    init() throws { folder = try TemporaryFolder() }

    private func adapter(_ kind: AdapterKind, alpha: Float = 6) -> Adapter {
        Adapter(
            kind: kind, rank: 2, alpha: alpha, targetModules: ["to_q", "ff.net.2"],
            layers: [
                "mid_block.attn1.to_q": AdapterLayer(
                    down: randomTensor([2, 5], seed: 1), up: randomTensor([4, 2], seed: 2),
                    magnitude: kind == .dora ? randomTensor([4], seed: 3) : nil),
                "mid_block.ff.net.2": AdapterLayer(
                    down: randomTensor([2, 8], seed: 4), up: randomTensor([3, 2], seed: 5),
                    magnitude: kind == .dora ? randomTensor([3], seed: 6) : nil),
            ])
    }

    private let linears = [
        "mid_block.attn1.to_q": Linear(path: "mid_block.attn1.to_q", weight: Tensor(zeros: [4, 5]), bias: nil),
        "mid_block.ff.net.2": Linear(path: "mid_block.ff.net.2", weight: Tensor(zeros: [3, 8]), bias: nil),
    ]

    @Test(arguments: AdapterKind.allCases) func whatIsWrittenComesBack(kind: AdapterKind) throws {
        let adapter = adapter(kind)
        let digest = try AdapterFile.write(adapter, to: file)
        #expect(try AdapterFile.digest(of: file) == digest)
        let read = try AdapterFile.read(file)
        #expect(read.kind == kind && read.rank == 2 && read.alpha == 6)
        #expect(read.targetModules == adapter.targetModules)
        #expect(read.parameters.map(\.name) == adapter.parameters.map(\.name))
        #expect(read.parameters.map(\.value.values) == adapter.parameters.map(\.value.values))
        try read.validate(against: linears)
    }

    @Test func keysAreThoseOfDiffusers() throws {
        try AdapterFile.write(adapter(.dora), to: file)
        let safetensors = try SafetensorsFile(file)
        #expect(
            Set(safetensors.names) == [
                "unet.mid_block.attn1.to_q.lora_A.weight", "unet.mid_block.attn1.to_q.lora_B.weight",
                "unet.mid_block.attn1.to_q.lora_magnitude_vector", "unet.mid_block.ff.net.2.lora_A.weight",
                "unet.mid_block.ff.net.2.lora_B.weight", "unet.mid_block.ff.net.2.lora_magnitude_vector",
            ])
        #expect(safetensors.metadata["format"] == "pt")
        let settings = try #require(safetensors.metadata["lora_adapter_metadata"])
        let json = try #require(try JSONSerialization.jsonObject(with: Data(settings.utf8)) as? [String: Any])
        #expect(
            Set(json.keys) == ["unet.r", "unet.lora_alpha", "unet.target_modules", "unet.use_dora"])
    }

    /// PEFT's own spelling, without metadata: alpha is the rank.
    @Test func filesOfPEFTAreRead() throws {
        let adapter = adapter(.dora)
        let tensors = adapter.parameters.map { parameter -> (String, Tensor) in
            let name = parameter.name
                .replacingOccurrences(of: "lora_A.weight", with: "lora_A.default.weight")
                .replacingOccurrences(of: "lora_B.weight", with: "lora_B.default.weight")
                .replacingOccurrences(of: "lora_magnitude_vector", with: "lora_magnitude_vector.default.weight")
            return ("base_model.model." + name, parameter.value)
        }
        try SafetensorsWriter.data(Dictionary(uniqueKeysWithValues: tensors), metadata: ["format": "pt"]).write(
            to: file)
        let read = try AdapterFile.read(file)
        #expect(read.kind == .dora && read.alpha == 2)
        #expect(read.parameters.map(\.name) == adapter.parameters.map(\.name))
    }

    /// PEFT's folder: alpha lies in a file of its own, and counts in the digest.
    @Test func foldersOfPEFTAreRead() throws {
        let tensors = adapter(.lora).parameters.map { ("base_model.model." + $0.name, $0.value) }
        let weights = folder.url.appendingPathComponent("adapter_model.safetensors")
        try SafetensorsWriter.data(Dictionary(uniqueKeysWithValues: tensors), metadata: ["format": "pt"])
            .write(to: weights)
        let settings = folder.url.appendingPathComponent("adapter_config.json")
        func read(_ text: String, from place: URL) throws -> (adapter: Adapter, digest: String) {
            try Data(text.utf8).write(to: settings)
            return (try AdapterFile.read(place), try AdapterFile.digest(of: place))
        }
        let plain = try read(
            #"{"peft_type":"LORA","r":2,"lora_alpha":5,"use_dora":false,"target_modules":"to_q","alpha_pattern":{}}"#,
            from: folder.url)
        #expect(plain.adapter.kind == .lora && plain.adapter.alpha == 5 && plain.adapter.targetModules == ["to_q"])
        let stable = try read(#"{"r":2,"lora_alpha":6,"use_rslora":true}"#, from: weights)
        #expect(abs(stable.adapter.scale - 6 / Float(2).squareRoot()) < 1e-6)
        #expect(stable.digest != plain.digest)
        #expect(throws: AdapterError.self) { try read(#"{"r":2,"init_lora_weights":"pissa"}"#, from: weights) }
        #expect(throws: AdapterError.self) { try read("{", from: weights) }
    }

    /// Layers of other ranks and alphas become one rank and one alpha; what they do to a weight stays.
    @Test func differingRanksAndAlphasAreBroughtTogether() throws {
        let wide = (down: randomTensor([3, 5], seed: 1), up: randomTensor([4, 3], seed: 2))
        let narrow = (down: randomTensor([2, 8], seed: 3), up: randomTensor([3, 2], seed: 4))
        let tensors = [
            "lora_unet_mid_block_attentions_0_transformer_blocks_1_attn1_to_out_0.lora_down.weight": wide.down,
            "lora_unet_mid_block_attentions_0_transformer_blocks_1_attn1_to_out_0.lora_up.weight": wide.up,
            "lora_unet_mid_block_attentions_0_transformer_blocks_1_attn1_to_out_0.alpha":
                Tensor(shape: [], values: [6]),
            "lora_unet_down_blocks_2_attentions_0_transformer_blocks_0_ff_net_0_proj.lora_down.weight": narrow.down,
            "lora_unet_down_blocks_2_attentions_0_transformer_blocks_0_ff_net_0_proj.lora_up.weight": narrow.up,
            "lora_unet_down_blocks_2_attentions_0_transformer_blocks_0_ff_net_0_proj.alpha":
                Tensor(shape: [], values: [1]),
        ]
        try SafetensorsWriter.data(tensors, metadata: [:]).write(to: file)
        let read = try AdapterFile.read(file)
        #expect(read.kind == .lora && read.rank == 3)
        for (path, factors, scale) in [
            ("mid_block.attentions.0.transformer_blocks.1.attn1.to_out.0", wide, Float(2)),
            ("down_blocks.2.attentions.0.transformer_blocks.0.ff.net.0.proj", narrow, 0.5),
        ] {
            let weight = randomTensor([factors.up.shape[0], factors.down.shape[1]], seed: 9)
            let expected = weight + matmul(factors.up, factors.down) * scale
            let folded = try read.fold(weight, at: path, of: .unet)
            #expect(relativeError(folded.values, expected.values) < 1e-6)
        }
        // It is written as any other and comes back.
        try AdapterFile.write(read, to: file)
        #expect(try AdapterFile.read(file).parameters.map(\.value.values) == read.parameters.map(\.value.values))
    }

    @Test func whatDoesNotFitIsNamed() throws {
        func text(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch { return "\(error)" }
        }
        let missing = text {
            try adapter(.lora).validate(
                against: ["mid_block.ff.net.2": linears["mid_block.ff.net.2"]].compactMapValues { $0 })
        }
        #expect(missing.contains("mid_block.attn1.to_q"))
        var other = linears
        other["mid_block.ff.net.2"] = Linear(path: "mid_block.ff.net.2", weight: Tensor(zeros: [3, 9]), bias: nil)
        #expect(text { try adapter(.lora).validate(against: other) }.contains("lora_A is [2, 8]"))

        try SafetensorsWriter.data(["unet.conv_in.hada_w1_a": Tensor(zeros: [2])], metadata: [:]).write(to: file)
        #expect(text { _ = try AdapterFile.read(file) }.contains("hada_w1_a"))
        try SafetensorsWriter.data(["unet.mid_block.to_q.lora_A.weight": Tensor(zeros: [2, 2])], metadata: [:])
            .write(to: file)
        #expect(text { _ = try AdapterFile.read(file) }.contains("lora_B"))
        try Data("no".utf8).write(to: file)
        #expect(text { _ = try AdapterFile.read(file) }.contains(file.path))
        try? FileManager.default.removeItem(at: file)
        #expect(text { _ = try AdapterFile.read(file) }.contains(file.path))
    }
}
