import Diffusion
import Foundation
import Tensors
import Testing
import Tuning

/// Adapter files that mean harm: reading, folding and training on them end with values or with one line that names the file.
@Suite struct HostileAdapterTests {
    private static let mutations =
        (ProcessInfo.processInfo.environment["ATTUNE_MUTATIONS"].flatMap { Int($0) } ?? 2000) / 4

    @Test func noMutationDoesHarm() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("lora.safetensors")
        let (linear, kernel) = ("lora_unet_mid_block_attentions_0_proj_in", "lora_unet_input_blocks_4_0_in_layers_2")
        let whole = Array(
            SafetensorsWriter.data(
                [
                    linear + ".lora_down.weight": randomTensor([2, 6], seed: 1),
                    linear + ".lora_up.weight": randomTensor([4, 2], seed: 2),
                    linear + ".alpha": Tensor(filled: 2, shape: []),
                    linear + ".dora_scale": Tensor(filled: 2, shape: [4, 1]),
                    kernel + ".lora_down.weight": randomTensor([2, 3, 1, 1], seed: 3),
                    kernel + ".lora_mid.weight": randomTensor([2, 2, 3, 3], seed: 4),
                    kernel + ".lora_up.weight": randomTensor([4, 2, 1, 1], seed: 5),
                    "text_encoder.encoder.layers.0.mlp.fc1.lora_A.weight": randomTensor([2, 6], seed: 1),
                    "text_encoder.encoder.layers.0.mlp.fc1.lora_B.weight": randomTensor([4, 2], seed: 2),
                ],
                metadata: [
                    "lora_adapter_metadata": #"{"unet.r": 2, "unet.lora_alpha": 3, "unet.alpha_pattern": {"to_q": 2}}"#
                ]))
        let end = 8 + Int(whole[0]) + Int(whole[1]) << 8
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(bound, 1)))
        }
        let words = ["_", ".", "0", "1", "-1", "99999999999", "lora_", "[", "weight", "null", "\\n", ".lora_B"].map {
            Array($0.utf8)
        }
        var (refused, folded) = (0, 0)
        for index in 0..<Self.mutations {
            var bytes = whole
            // Most leave the header's length right, so that what is inside it is looked at.
            switch next(4) {
            case 0: bytes[8 + next(end - 8)] = UInt8(32 + next(95))
            case 1: bytes[8 + next(end - 8)] = UInt8(ascii: "0") + UInt8(next(10))
            case 2:
                let word = words[next(words.count)]
                let at = 8 + next(end - 8)
                bytes.insert(contentsOf: word, at: at)
                let length = UInt64(end - 8 + word.count)
                withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
            default: bytes.removeLast(next(index % 2 == 0 ? 40 : bytes.count))
            }
            try Data(bytes).write(to: url)
            do {
                let stored = try AdapterFile.load(url)
                let folding = AdapterFolding(stored)
                for (component, layers) in stored.layers {
                    for path in layers.keys {
                        for shape in [[4, 6], [4, 3, 3, 3], [4, 6, 1, 1]] {
                            _ = try? folding.fold(randomTensor(shape, seed: 9), at: path, of: component)
                        }
                    }
                }
                try folding.checkAllMet()
                folded += 1
                _ = try stored.trainable()
            } catch {
                let text = "\(error)"
                #expect(text.contains("lora.safetensors") || text.contains("layer"), "\(text)")
                #expect(!text.contains(where: \.isNewline) && text.utf8.count < 4000, "\(text)")
                refused += 1
            }
        }
        #expect(refused > Self.mutations / 2 && folded > 0)
    }
}
