import Diffusion
import Foundation
import Tensors

/// A whole model folder around the networks of a mini golden, with tiny-sd's tokenizer; removed when it goes.
final class MiniModel {
    /// How the weights lie on disk.
    enum Storage: CaseIterable { case float32, float16, bfloat16, sharded }

    let folder = FileManager.default.temporaryDirectory.appending(path: "attune-mini-\(UUID().uuidString)")

    init(_ name: String, storage: Storage = .float32) throws {
        let files = FileManager.default
        try files.copyItem(at: Goldens.folder.appending(path: name), to: folder)
        let parts = try files.contentsOfDirectory(atPath: folder.path)
        for part in parts where part != "scheduler" {
            let stem = part.hasPrefix("text") ? "model" : "diffusion_pytorch_model"
            try Self.write(
                try Goldens.tensors(name, part), stem: stem, to: folder.appending(path: part), storage: storage)
        }
        for part in parts where part.hasPrefix("text_encoder") {
            let tokenizer = part.replacing("text_encoder", with: "tokenizer")
            try files.copyItem(
                at: Goldens.tinySD.appending(path: "tokenizer"), to: folder.appending(path: tokenizer))
        }
        try Data("{}".utf8).write(to: folder.appending(path: "model_index.json"))
    }

    /// Loads it while the folder is there for sure.
    func load(adapter: (any WeightFolding)? = nil) throws(ModelError) -> DiffusionModel {
        defer { withExtendedLifetime(self) {} }
        return try DiffusionModel.load(from: folder, adapter: adapter)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private static func write(_ tensors: [String: Tensor], stem: String, to folder: URL, storage: Storage) throws {
        let url = folder.appending(path: "\(stem).safetensors")
        switch storage {
        case .float32: try SafetensorsWriter.data(tensors).write(to: url)
        case .float16: try narrow(tensors, "F16") { Float16($0).bitPattern }.write(to: url)
        case .bfloat16: try narrow(tensors, "BF16") { UInt16($0.bitPattern >> 16) }.write(to: url)
        case .sharded:
            var map: [String: String] = [:]
            let names = tensors.keys.sorted()
            for (number, part) in [names.prefix(names.count / 2), names.dropFirst(names.count / 2)].enumerated() {
                let file = "\(stem)-0000\(number + 1)-of-00002.safetensors"
                try SafetensorsWriter.data(tensors.filter { part.contains($0.key) })
                    .write(to: folder.appending(path: file))
                for name in part { map[name] = file }
            }
            try JSONSerialization.data(withJSONObject: ["weight_map": map])
                .write(to: folder.appending(path: "\(stem).safetensors.index.json"))
        }
    }

    /// A safetensors file of two-byte values.
    private static func narrow(
        _ tensors: [String: Tensor], _ type: String, _ bits: (Float) -> UInt16
    ) throws -> Data {
        var header: [String: [String: Any]] = [:]
        var data = Data()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let start = data.count
            for value in tensor.values {
                withUnsafeBytes(of: bits(value).littleEndian) { data.append(contentsOf: $0) }
            }
            header[name] = ["dtype": type, "shape": tensor.shape, "data_offsets": [start, data.count]]
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        var out = Data()
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { out.append(contentsOf: $0) }
        return out + json + data
    }
}
