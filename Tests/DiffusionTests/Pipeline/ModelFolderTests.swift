import Diffusion
import Foundation
import Tensors
import Testing

@Suite("Model folders: identity and damage")
struct ModelFolderTests {
    /// A copy of tiny-sd that is removed at the end.
    private func withCopy(_ body: (URL) throws -> Void) throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: Goldens.tinySD, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        try body(copy)
    }

    private func loadError(_ folder: URL) -> ModelError? {
        do {
            _ = try DiffusionModel.load(from: folder)
            return nil
        } catch { return error }
    }

    @Test func theDigestFollowsTheContent() throws {
        let original = try ModelDigest.compute(folder: Goldens.tinySD)
        #expect(original.hasPrefix("sha256:") && original.count == 71)
        try withCopy { copy in
            #expect(try ModelDigest.compute(folder: copy) == original)
            try Data("notes".utf8).write(to: copy.appending(path: "README.md"))
            try Data("other copy".utf8).write(to: copy.appending(path: "unet/diffusion_pytorch_model.fp16.safetensors"))
            #expect(try ModelDigest.compute(folder: copy) == original)

            let weights = copy.appending(path: "vae/diffusion_pytorch_model.safetensors")
            var bytes = try Data(contentsOf: weights)
            bytes[bytes.count - 1] ^= 1
            try bytes.write(to: weights)
            #expect(try ModelDigest.compute(folder: copy) != original)
        }
    }

    @Test(arguments: [
        "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "text_encoder/model.safetensors",
        "tokenizer/merges.txt", "tokenizer/vocab.json", "scheduler/scheduler_config.json", "model_index.json",
    ])
    func aMissingFileIsNamed(name: String) throws {
        try withCopy { copy in
            try FileManager.default.removeItem(at: copy.appending(path: name))
            let error = try #require(loadError(copy))
            #expect(error.code == .missingFile)
            let part = try #require(name.split(separator: "/").first)
            #expect(error.description.contains(part))
            #expect(!error.description.contains("\n"))
        }
    }

    @Test(arguments: [0, 5, 1000, -1])
    func truncatedWeightsAreRefused(length: Int) throws {
        try withCopy { copy in
            let weights = copy.appending(path: "unet/diffusion_pytorch_model.safetensors")
            let bytes = try Data(contentsOf: weights)
            try bytes.prefix(length < 0 ? bytes.count + length : length).write(to: weights)
            let error = try #require(loadError(copy))
            #expect(error.code == .malformedFile)
            #expect(error.path.hasSuffix("unet/diffusion_pytorch_model.safetensors"))
        }
    }

    @Test func aConfigurationThatDoesNotFitNamesATensor() throws {
        try withCopy { copy in
            let url = copy.appending(path: "unet/config.json")
            var fields = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
            fields["cross_attention_dim"] = 32
            try JSONSerialization.data(withJSONObject: fields).write(to: url)
            let error = try #require(loadError(copy))
            #expect(error.code == .wrongShape)
            #expect(error.message.contains("attn2.to_k.weight"))
        }
    }

    /// One setting of one file, as JSON.
    struct Setting: Sendable, CustomTestStringConvertible {
        var file, field, value: String
        init(_ file: String, _ field: String, _ value: String) {
            (self.file, self.field, self.value) = (file, field, value)
        }
        var testDescription: String { "\(file) \(field)=\(value)" }
    }

    @Test(arguments: [
        Setting("unet/config.json", "act_fn", "\"mish\""),
        Setting("unet/config.json", "only_cross_attention", "true"),
        Setting("unet/config.json", "block_out_channels", "[]"),
        Setting("unet/config.json", "layers_per_block", "-1"),
        Setting("unet/config.json", "norm_num_groups", "0"),
        Setting("unet/config.json", "norm_num_groups", "null"),
        Setting("unet/config.json", "attention_head_dim", "7"),
        Setting("unet/config.json", "sample_size", "0"),
        Setting("vae/config.json", "block_out_channels", "[]"),
        Setting("vae/config.json", "scaling_factor", "0"),
        Setting("text_encoder/config.json", "num_attention_heads", "0"),
        Setting("text_encoder/config.json", "hidden_act", "\"relu\""),
        Setting("scheduler/scheduler_config.json", "beta_schedule", "\"sigmoid\""),
        Setting("scheduler/scheduler_config.json", "prediction_type", "\"sample\""),
        Setting("scheduler/scheduler_config.json", "_class_name", "\"EDMDPMSolverMultistepScheduler\""),
        Setting("unet/config.json", "mid_block_scale_factor", "2"),
        Setting("unet/config.json", "mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\""),
        Setting("unet/config.json", "downsample_padding", "2"),
        Setting("unet/config.json", "time_embedding_act_fn", "\"tanh\""),
        Setting("unet/config.json", "field_of_tomorrow", "1"),
        Setting("vae/config.json", "shift_factor", "0.1"),
        Setting("vae/config.json", "latents_mean", "[1, 1, 1, 1]"),
        Setting("vae/config.json", "up_block_types", "[\"AttnUpDecoderBlock2D\"]"),
        Setting("text_encoder/config.json", "use_attention_mask", "true"),
        Setting("text_encoder/config.json", "architectures", "[\"T5EncoderModel\"]"),
        Setting("tokenizer/tokenizer_config.json", "padding_side", "\"left\""),
        Setting("scheduler/scheduler_config.json", "num_train_timesteps", "0"),
    ])
    func unusableSettingsAreNamed(setting: Setting) throws {
        try withCopy { copy in
            let url = copy.appending(path: setting.file)
            var fields = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
            fields[setting.field] = try JSONSerialization.jsonObject(
                with: Data(setting.value.utf8), options: .fragmentsAllowed)
            try JSONSerialization.data(withJSONObject: fields).write(to: url)
            let error = try #require(loadError(copy))
            #expect(error.description.contains(setting.field), "\(error)")
        }
    }

    @Test func aTokenizerOfAnotherModelIsRefused() throws {
        try withCopy { copy in
            let url = copy.appending(path: "tokenizer/vocab.json")
            var fields = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Int])
            fields["foreign</w>"] = 49_407
            try JSONSerialization.data(withJSONObject: fields).write(to: url)
            let error = try #require(loadError(copy))
            #expect(error.code == .wrongShape && error.message.contains("49407"))
        }
    }

    @Test func missingMisshapedAndLeftOverTensorsAreNamed() throws {
        let configuration = try Goldens.configuration(VAEConfiguration.self, "sd15-mini", "vae")
        let good = try Goldens.tensors("sd15-mini", "vae")
        let key = "decoder.conv_in.weight"
        func error(_ change: (inout [String: Tensor]) -> Void) -> ModelError? {
            var tensors = good
            change(&tensors)
            do {
                _ = try AutoencoderKL(Weights(tensors: tensors), configuration)
                return nil
            } catch { return error }
        }
        #expect(error { _ in } == nil)
        let missing = try #require(error { $0[key] = nil })
        #expect(missing.code == .missingTensor && missing.message.contains(key))
        let misshaped = try #require(error { $0[key] = Tensor(zeros: [1]) })
        #expect(misshaped.code == .wrongShape && misshaped.message.contains(key))
        let extra = try #require(error { $0["decoder.extra"] = Tensor(zeros: [1]) })
        #expect(extra.code == .unusedTensor && extra.message.contains("decoder.extra"))
    }
}
