import Diffusion
import Foundation
import Images
import Tensors
import Testing

/// CLIP's and DINOv2's vision encoders against transformers (Tests/Goldens/make_vision_goldens.py).
@Suite struct VisionEncoderTests {
    static let folder = Goldens.folder.appending(path: "vision")

    static func values() throws -> SafetensorsFile { try SafetensorsFile(folder.appending(path: "values.safetensors")) }

    static func image(_ index: Int) throws -> RGBImage {
        let tensor = try values().tensor("image.\(index)")
        return RGBImage(
            width: tensor.shape[1], height: tensor.shape[0], pixels: tensor.values.map { UInt8($0) })
    }

    /// Wide, tall, and smaller than what the encoder sees.
    @Test(arguments: ["clip", "clip-whole", "dinov2"], 0..<3)
    func imagesArePreparedAsTransformersDoes(_ model: String, _ index: Int) throws {
        let processor = try ImageProcessor(folder: Self.folder.appending(path: model))
        let pixels = processor(try Self.image(index))
        let name = model == "clip-whole" ? "clip" : model
        let expected = try Self.values().tensor("\(name).pixels.\(index)")
        #expect(pixels.shape == [1, expected.shape[1], expected.shape[2], 3])
        let differences = zip(pixels.channelsFirst.values, expected.values).map { abs($0 - $1) }
        // Rounding to 8 bits may fall to the other side.
        #expect((differences.max() ?? 1) < 0.02)
        #expect(differences.count { $0 > 1e-5 } * 1000 <= differences.count)
    }

    @Test(arguments: ["clip", "clip-whole", "dinov2"])
    func featuresAreTransformers(_ model: String) throws {
        let encoder = try VisionEncoder(folder: Self.folder.appending(path: model))
        let expected = try Self.values().tensor("\(model).features")
        let features = encoder(try (0..<3).map(Self.image))
        #expect(features.shape == expected.shape)
        #expect(encoder.featureSize == expected.shape[1])
        #expect(relativeError(features, expected) < 1e-4)
        // One at a time gives the same.
        let alone = encoder([try Self.image(1)])
        #expect(relativeError(alone, features.batch(1..<2)) < 1e-6)
    }

    /// The network alone, on transformers' own pixels: positions as stored, and interpolated to another grid.
    @Test func theTransformerIsExact() throws {
        let values = try Self.values()
        let encoder = try VisionEncoder(folder: Self.folder.appending(path: "dinov2"))
        let square = try values.tensor("dinov2.square")
        let native = encoder.transformer(square.reshaped([1] + square.shape).channelsLast)
        #expect(relativeError(native, try values.tensor("dinov2.native")) < 1e-5)
        for model in ["clip", "clip-whole", "dinov2"] {
            let encoder = try VisionEncoder(folder: Self.folder.appending(path: model))
            let batch = concatenateBatch(
                try (0..<3).map { index in
                    let pixels = try values.tensor("\(model).pixels.\(index)")
                    return pixels.reshaped([1] + pixels.shape).channelsLast
                })
            #expect(relativeError(encoder.transformer(batch), try values.tensor("\(model).features")) < 1e-5)
        }
    }

    @Test func anEncoderIsKnownByItsFiles() throws {
        let clip = try VisionEncoder(folder: Self.folder.appending(path: "clip")).identity
        let again = try VisionEncoder(folder: Self.folder.appending(path: "clip")).identity
        let dino = try VisionEncoder(folder: Self.folder.appending(path: "dinov2")).identity
        #expect(clip == again && clip.hasPrefix("clip sha256:") && dino.hasPrefix("dinov2 sha256:"))
    }

    // MARK: What is refused

    /// A copy of a golden folder with other fields in one of its files; null takes a field out.
    private func changed(_ model: String, _ file: String, _ fields: [String: Any]) throws -> URL {
        let copy = FileManager.default.temporaryDirectory.appending(path: "vision-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: Self.folder.appending(path: model), to: copy)
        let url = copy.appending(path: file)
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        object.merge(fields) { $1 }
        try JSONSerialization.data(withJSONObject: object).write(to: url)
        return copy
    }

    private func refusal(_ model: String, _ file: String, _ fields: [String: Any]) throws -> String? {
        let folder = try changed(model, file, fields)
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            _ = try VisionEncoder(folder: folder)
            return nil
        } catch { return "\(error)" }
    }

    @Test func settingsThatAreNotFollowedAreNamed() throws {
        let cases: [(String, String, [String: Any], String)] = [
            ("dinov2", "config.json", ["use_swiglu_ffn": true], "use_swiglu_ffn is true"),
            ("dinov2", "config.json", ["rope_theta": 100], "rope_theta"),
            ("dinov2", "config.json", ["model_type": "vit"], "model_type \"vit\""),
            ("clip", "config.json", ["hidden_act": "silu"], "silu"),
            ("clip", "config.json", ["num_channels": 1], "num_channels is 1"),
            ("clip", "config.json", ["num_attention_heads": 5], "num_attention_heads"),
            ("clip", "config.json", ["hidden_size": "big"], "hidden_size"),
            ("clip", "config.json", ["num_hidden_layers": 3], "layers.2"),
            ("clip", "config.json", ["num_hidden_layers": 1], "layers.1"),
            ("clip", "config.json", ["patch_size": 4], "patch_embedding"),
            ("clip", "preprocessor_config.json", ["resample": 2], "resample is 2"),
            ("clip", "preprocessor_config.json", ["do_pad": true], "do_pad is true"),
            ("clip", "preprocessor_config.json", ["do_flip": true], "do_flip"),
            ("clip", "preprocessor_config.json", ["size": ["longest_edge": 30]], "size"),
            ("clip", "preprocessor_config.json", ["do_center_crop": false], "batch"),
            ("clip", "preprocessor_config.json", ["image_std": [0.2, 0, 0.2]], "image_std"),
            ("clip", "preprocessor_config.json", ["crop_size": 4], "smaller than a patch"),
        ]
        for (model, file, fields, word) in cases {
            let message = try #require(try refusal(model, file, fields), "\(fields)")
            #expect(message.contains(word), "\(fields): \(message)")
            #expect(!message.contains("\n"))
        }
    }

    @Test func aFolderThatIsNoneIsNamed() throws {
        for (folder, word) in [
            (Self.folder.appending(path: "nothing"), "config.json: is missing"),
            (Goldens.tinySD, "config.json: is missing"),
        ] {
            let error = #expect(throws: ModelError.self) { _ = try VisionEncoder(folder: folder) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
    }

    @Test func aFieldCanBeIgnored() throws {
        let folder = try changed("clip", "preprocessor_config.json", ["do_flip": true])
        defer { try? FileManager.default.removeItem(at: folder) }
        let encoder = try VisionEncoder(folder: folder, ignoring: IgnoredFields(["do_flip"]))
        #expect(
            relativeError(encoder([try Self.image(0)]), try Self.values().tensor("clip.features").batch(0..<1)) < 1e-4)
    }
}
