import Diffusion
import Foundation
import Tensors

/// The reference values beside Tests/Goldens/make_goldens.py.
enum Goldens {
    static let folder = repository.appendingPathComponent("Tests/Goldens")

    static func file(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(folder.appendingPathComponent("\(name).safetensors"))
    }

    /// The weights of a mini model's UNet, from the formula in make_goldens.py (`jitter`).
    static func tensors(_ name: String) throws -> [String: Tensor] {
        let shapes = try JSONDecoder().decode(
            [String: [Int]].self, from: Data(contentsOf: unetFolder(name).appendingPathComponent("shapes.json")))
        return Dictionary(uniqueKeysWithValues: shapes.map { ($0.key, jitter($0.key, $0.value)) })
    }

    private static func unetFolder(_ name: String) -> URL {
        folder.appendingPathComponent(name).appendingPathComponent("unet")
    }

    /// The UNet of a mini model.
    static func unet(_ name: String, on device: Device = .cpu) throws -> UNet2DConditionModel {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let configuration = try decoder.decode(
            UNetConfiguration.self, from: Data(contentsOf: unetFolder(name).appendingPathComponent("config.json")))
        return try UNet2DConditionModel(Weights(tensors: tensors(name), device: device), configuration)
    }

    private static func jitter(_ key: String, _ shape: [Int]) -> Tensor {
        let count = shape.reduce(1, *)
        var generator = TorchGenerator(seed: UInt64(crc32(key)))
        let x = generator.normal([count]).values
        let values: [Float]
        if shape.count > 1 {
            let fanIn = Float(count / shape[0]).squareRoot()
            values = x.map { $0 / fanIn }
        } else if key.hasSuffix("weight") {
            values = x.map { 1 + 0.1 * $0 }
        } else {
            values = x.map { 0.1 * $0 }
        }
        return Tensor(shape: shape, values: values)
    }

    private static func crc32(_ text: String) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in text.utf8 {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
