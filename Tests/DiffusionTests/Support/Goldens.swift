import Diffusion
import Foundation
import Tensors

/// Reference values from diffusers, transformers and PEFT (Tests/Goldens).
enum Goldens {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let folder = repository.appending(path: "Tests/Goldens")
    static let tinySD = repository.appending(path: "datasets/tiny-sd")

    static func file(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(folder.appending(path: "\(name).safetensors"))
    }

    /// The weights of a mini model's component by their formula: every tensor is torch.randn seeded with the CRC-32 of
    /// its key, scaled by its kind.
    static func weights(_ model: String, _ component: String, _ device: Device = .cpu) throws -> Weights {
        Weights(tensors: try tensors(model, component), device: device)
    }

    static func tensors(_ model: String, _ component: String) throws -> [String: Tensor] {
        let url = folder.appending(path: "\(model)/\(component)/shapes.json")
        return tensors(shapes: try JSONDecoder().decode([String: [Int]].self, from: Data(contentsOf: url)))
    }

    static func tensors(shapes: [String: [Int]]) -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: shapes.map { key, shape in (key, jitter(key, shape)) })
    }

    private static func jitter(_ key: String, _ shape: [Int]) -> Tensor {
        var generator = TorchGenerator(seed: UInt64(crc32(key)))
        let x = generator.normal(shape)
        if shape.count > 1 { return x * (1 / Float(shape.dropFirst().reduce(1, *)).squareRoot()) }
        let offset: Float = key.hasSuffix("weight") ? 1 : 0
        return x * 0.1 + Tensor(filled: offset, shape: shape)
    }

    static func configuration<T: Decodable>(_ type: T.Type, _ model: String, _ component: String) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            type, from: Data(contentsOf: folder.appending(path: "\(model)/\(component)/config.json")))
    }

    private static func crc32(_ text: String) -> UInt32 {
        var crc: UInt32 = .max
        for byte in text.utf8 {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}

/// ‖a − b‖ / ‖b‖.
func relativeError(_ a: Tensor, _ b: Tensor) -> Double {
    precondition(a.count == b.count, "\(a.shape) against \(b.shape)")
    return relativeError(a.values, b.values)
}

func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    let difference = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    return (difference / max(b.reduce(0.0) { $0 + Double($1) * Double($1) }, 1e-30)).squareRoot()
}
