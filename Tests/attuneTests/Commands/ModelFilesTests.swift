import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

/// Models and adapters as other programs leave them, through the command.
@Suite struct ModelFilesTests {
    private let scratch: Scratch
    private let prompts: String

    init() throws {
        scratch = try Scratch()
        prompts = try scratch.file("prompts.txt", "a star\n")
    }

    /// One image into a folder of its own.
    private func sample(_ name: String, _ more: String...) throws -> Outcome {
        try Attune.start(
            [
                "sample", "--model", Attune.model, "--prompts", prompts, "--to", scratch.path(name),
                "--images-per-prompt", "1", "--steps", "2",
            ] + more
        ).wait()
    }

    private func image(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: scratch.path(name)).appending(path: "0001-42.png"))
    }

    private func adapter(_ tensors: [String: Tensor]) throws -> String {
        let url = URL(fileURLWithPath: scratch.path("lora-\(UUID().uuidString).safetensors"))
        try SafetensorsWriter.data(tensors).write(to: url)
        return url.path
    }

    private func factors(_ stem: String, inputs: Int, outputs: Int, value: Float = 0.3) -> [String: Tensor] {
        [
            stem + ".lora_down.weight": Tensor(filled: value, shape: [2, inputs]),
            stem + ".lora_up.weight": Tensor(shape: [outputs, 2], values: (0..<2 * outputs).map { Float($0 % 7) - 3 }),
        ]
    }

    private let text = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    private let layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"

    @Test func variantsAreChosen() throws {
        let copy = scratch.path("model")
        try FileManager.default.copyItem(atPath: Attune.model, toPath: copy)
        let weights = copy + "/unet/diffusion_pytorch_model"
        try FileManager.default.copyItem(atPath: weights + ".safetensors", toPath: weights + ".fp16.safetensors")
        #expect(try sample("plain", "--model", copy).status == 0)
        #expect(try sample("other", "--model", copy, "--variant", "fp16").status == 0)
        #expect(try image("plain") == image("other"))
        let none = try sample("none", "--model", copy, "--variant", "bf16")
        #expect(none.status == 1 && none.failures.count == 1 && none.errors.contains("it has fp16"), "\(none.errors)")
    }

    @Test func adaptersOfTheTextEncoderAreApplied() throws {
        #expect(try sample("plain").status == 0)
        let file = try adapter(factors(text, inputs: 128, outputs: 512))
        let outcome = try sample("adapted", "--adapter", file)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try image("plain") != image("adapted"))
    }

    /// One line, status 1, no trap.
    @Test(arguments: ["shape", "NaN", "other", "missing"]) func whatDoesNotFitIsOneLine(kind: String) throws {
        var tensors = factors(layer, inputs: kind == "shape" ? 999 : 128, outputs: kind == "shape" ? 333 : 192)
        if kind == "NaN" { tensors[layer + ".lora_up.weight"] = Tensor(filled: .nan, shape: [192, 2]) }
        if kind == "other" { tensors.merge(factors("lora_te2_text_projection", inputs: 8, outputs: 8)) { $1 } }
        if kind == "missing" { tensors = factors("lora_unet_mid_block_attentions_7_proj_in", inputs: 8, outputs: 8) }
        let outcome = try sample("out", "--adapter", try adapter(tensors))
        #expect(outcome.status == 1 && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        let says = ["shape": "[333, 999]", "NaN": "holds NaN", "other": "text_encoder_2", "missing": "attentions.7"]
        #expect(outcome.errors.contains(says[kind] ?? ""), "\(outcome.errors)")
    }

    @Test func trainingRefusesWhatItWouldLeaveOut() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let file = try adapter(factors(text, inputs: 128, outputs: 512))
        let outcome = try Attune.run(
            "train", "--corpus", corpus.path, "best", "--model", Attune.model, "--run", "r", "--steps", "1",
            "--warm-start", file)
        #expect(outcome.status == 1 && outcome.errors.contains("text encoder"), "\(outcome.errors)")
    }

    @Test func aSingleFileIsNoModel() throws {
        let file = try scratch.file("v1-5.ckpt", "PK\u{3}\u{4}")
        let outcome = try sample("out", "--model", file)
        #expect(outcome.status == 1 && outcome.failures.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("StableDiffusionPipeline.from_single_file('\(file)').save_pretrained"))
    }
}
