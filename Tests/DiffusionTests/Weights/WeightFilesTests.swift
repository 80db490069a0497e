import Diffusion
import Foundation
import Tensors
import Testing

/// Copies of weights under the names of the Hub, and files that are not what their name says.
@Suite("Weight files and model folders as people have them", .serialized) struct WeightFilesTests {
    /// A copy of tiny-sd that is removed at the end.
    private final class Copy {
        let url = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID().uuidString)")

        init() throws { try FileManager.default.copyItem(at: Goldens.tinySD, to: url) }
        deinit { try? FileManager.default.removeItem(at: url) }

        static let unet = "unet/diffusion_pytorch_model.safetensors"

        func at(_ name: String) -> URL { url.appending(path: name) }

        func move(_ name: String, to other: String) throws {
            try FileManager.default.moveItem(at: at(name), to: at(other))
        }

        func remove(_ name: String) throws { try FileManager.default.removeItem(at: at(name)) }

        func write(_ text: String, _ name: String) throws { try Data(text.utf8).write(to: at(name)) }

        func error(_ variant: String? = nil) -> String {
            do {
                _ = try DiffusionModel.load(from: url, variant: variant)
                return "none"
            } catch {
                return error.description
            }
        }
    }

    @Test func theOnlyVariantIsRead() throws {
        let copy = try Copy()
        for (part, stem) in [
            ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "model"),
        ] { try copy.move("\(part)/\(stem).safetensors", to: "\(part)/\(stem).fp16.safetensors") }
        let plain = try DiffusionModel.load(from: Goldens.tinySD)
        let model = try DiffusionModel.load(from: copy.url)
        #expect(model.digest != plain.digest)
        #expect(try ModelDigest.compute(folder: copy.url, variant: "fp16") == model.digest)
        #expect(model.encode(prompts: ["a"])[0].tokens.values == plain.encode(prompts: ["a"])[0].tokens.values)
        #expect(try ImageEncoder(folder: copy.url).digest == model.digest)
        #expect(copy.error("bf16").contains("no component has the variant 'bf16'; it has fp16"))
    }

    @Test func thePlainCopyComesFirstAndAnotherIsChosen() throws {
        let copy = try Copy()
        let plain = try ModelDigest.compute(folder: copy.url)
        for name in ["fp16", "non_ema"] {
            try FileManager.default.copyItem(
                at: copy.at(Copy.unet), to: copy.at("unet/diffusion_pytorch_model.\(name).safetensors"))
        }
        #expect(try DiffusionModel.load(from: copy.url).digest == plain)
        // Components without the variant give their plain copy.
        #expect(try DiffusionModel.load(from: copy.url, variant: "fp16").digest != plain)
        try copy.remove(Copy.unet)
        #expect(copy.error().contains("fp16, non_ema: choose one with --variant"))
        #expect(copy.error("non_ema") == "none")
        #expect(copy.error("no/such").contains("not the name of a variant"))
    }

    @Test func aVariantInSeveralFilesIsRead() throws {
        let mini = try MiniModel("sd15-mini", storage: .sharded)
        let reference = try mini.load().digest
        for (part, stem) in [
            ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "model"),
        ] {
            let folder = mini.folder.appending(path: part)
            let index = folder.appending(path: "\(stem).safetensors.index.json")
            let text = try String(contentsOf: index, encoding: .utf8).replacing("\(stem)-", with: "\(stem).fp16-")
            try FileManager.default.removeItem(at: index)
            try Data(text.utf8).write(
                to: folder.appending(path: "\(stem).safetensors.\(part == "vae" ? "fp16.index" : "index.fp16").json"))
            for number in 1...2 {
                try FileManager.default.moveItem(
                    at: folder.appending(path: "\(stem)-0000\(number)-of-00002.safetensors"),
                    to: folder.appending(path: "\(stem).fp16-0000\(number)-of-00002.safetensors"))
            }
        }
        #expect(try mini.load().digest != reference)
        try FileManager.default.removeItem(
            at: mini.folder.appending(path: "unet/diffusion_pytorch_model.safetensors.index.fp16.json"))
        let error = #expect(throws: ModelError.self) { try mini.load() }
        #expect(error?.message.contains("index.json, which names the parts") == true, "\(String(describing: error))")
    }

    /// A file in place of the UNet's weights, and what the error says.
    @Test(arguments: [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1000\n", "git-lfs pull"),
        ("<!DOCTYPE html>\n<html>", "web page"), ("Entry not found", "entry not found"), ("", "is empty"),
        ("PK\u{3}\u{4}0000000000", "PyTorch pickle"), ("GGUF00000000", "GGUF"), ("something else", "truncated"),
    ])
    func foreignContentIsNamed(content: String, says: String) throws {
        let copy = try Copy()
        try copy.write(content, Copy.unet)
        let said = copy.error()
        let word = says == "git-lfs pull" ? "git lfs pull" : says
        #expect(said.contains(word) && said.contains(Copy.unet) && !said.contains("\n"), "\(said)")
        try copy.write(content, "vae/config.json")
        try FileManager.default.removeItem(at: copy.at(Copy.unet))
        try FileManager.default.copyItem(at: Goldens.tinySD.appending(path: Copy.unet), to: copy.at(Copy.unet))
        #expect(copy.error().contains("vae/config.json"), "\(copy.error())")
    }

    @Test(arguments: [
        ("diffusion_pytorch_model.bin", "use_safetensors=False)"),
        ("diffusion_pytorch_model.fp16.bin", "variant='fp16'"), ("model.ckpt", "model.ckpt, a PyTorch pickle"),
        ("diffusion_flax_model.msgpack", "Flax"), ("diffusion_pytorch_model.safetensors.incomplete", "not finished"),
        ("weights.safetensors", "weights.safetensors: name it so"),
        ("diffusion_pytorch_model-00001-of-00002.safetensors", "index.json"),
    ])
    func whatLiesThereInsteadIsNamed(name: String, says: String) throws {
        let copy = try Copy()
        try copy.move(Copy.unet, to: "unet/\(name)")
        #expect(copy.error().contains(says) && copy.error().contains(name), "\(copy.error())")
    }

    @Test func brokenLinksAndMissingFoldersAreNamed() throws {
        let copy = try Copy()
        try copy.remove(Copy.unet)
        try FileManager.default.createSymbolicLink(
            atPath: copy.at(Copy.unet).path, withDestinationPath: "../../blobs/0123")
        #expect(copy.error().contains("is a link to ../../blobs/0123, which is missing"), "\(copy.error())")
        try copy.remove("unet")
        #expect(copy.error().contains("unet: this folder is missing, and model_index.json names it"), "\(copy.error())")
    }

    @Test(arguments: [
        (#""_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]"#, "FluxPipeline"),
        (
            #""_class_name": "StableDiffusion3Pipeline", "text_encoder_3": ["transformers", "T5EncoderModel"]"#,
            "text_encoder_3"
        ),
        (#""_class_name": "PixArtSigmaPipeline""#, "PixArtSigmaPipeline"),
        (
            #""_class_name": "IFPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "text_encoder": ["transformers", "T5EncoderModel"]"#,
            "T5EncoderModel"
        ),
        (#""_class_name": "StableDiffusionXLImg2ImgPipeline", "text_encoder": [null, null]"#, "has no text_encoder"),
    ])
    func otherPipelinesAreRefusedByName(fields: String, says: String) throws {
        let copy = try Copy()
        try copy.write("{\(fields)}", "model_index.json")
        #expect(copy.error().contains(says) && copy.error().contains("model_index.json"), "\(copy.error())")
    }

    @Test func placesThatAreNoModelFolderAreNamed() throws {
        func error(_ url: URL) -> String {
            do {
                _ = try DiffusionModel.load(from: url)
                return "none"
            } catch { return error.description }
        }
        let place = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        #expect(error(place.appending(path: "nothing")).contains("no such folder"))
        let file = place.appending(path: "model.safetensors")
        let names = ["model.diffusion_model.input_blocks.0.0.weight", "conditioner.embedders.1.model.ln_final.weight"]
        for (keys, says) in [
            ([names[0]], "StableDiffusionPipeline.from_single_file"),
            (names, "StableDiffusionXLPipeline.from_single_file"),
            (["double_blocks.0.img_attn.proj.weight"], "Flux"), (["lora_unet_mid.lora_up.weight"], "--adapter"),
        ] {
            try SafetensorsWriter.data(Dictionary(uniqueKeysWithValues: keys.map { ($0, Tensor(zeros: [1])) }))
                .write(to: file)
            #expect(error(file).contains(says), "\(error(file))")
            #expect(error(place).contains(says), "\(error(place))")
        }
        try FileManager.default.removeItem(at: file)
        try FileManager.default.createDirectory(
            at: place.appending(path: "snapshots/0a1b"), withIntermediateDirectories: true)
        #expect(error(place).contains("/snapshots/0a1b"))
        #expect(error(Goldens.tinySD.appending(path: "unet")).contains("one component"))
        #expect(error(Goldens.tinySD.deletingLastPathComponent()).contains("tiny-sd meant?"))
    }

    /// One value of one tensor, in each component.
    @Test(arguments: ["unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"])
    func valuesThatAreNotFiniteAreRefusedByName(name: String) throws {
        let copy = try Copy()
        let url = copy.at("\(name).safetensors")
        let file = try SafetensorsFile(Goldens.tinySD.appending(path: "\(name).safetensors"))
        let key = try #require(file.names.last { file.entries[$0].map { $0.shape.count > 1 } ?? false })
        for value in [Float.nan, .infinity] {
            var tensors: [String: Tensor] = [:]
            for name in file.names where file.entries[name]?.type != .int64 {
                let tensor = try file.tensor(name)
                var values = tensor.values
                if name == key { values[values.count - 1] = value }
                tensors[name] = Tensor(shape: tensor.shape, values: values)
            }
            try SafetensorsWriter.data(tensors).write(to: url)
            let said = copy.error()
            #expect(said.contains("'\(key)' holds \(value.isNaN ? "NaN" : "an infinite value")"), "\(said)")
            #expect(said.contains("\(name).safetensors"))
        }
    }
}
