package import Corpus
import Diffusion
package import Foundation
import Tensor

/// `pytorch_lora_weights.safetensors`: the adapter file that diffusers' `load_lora_weights` reads.
///
/// Tensors are `unet.<module path>.lora_A.weight` [r, in], `.lora_B.weight` [out, r] and `.lora_magnitude_vector` [out].
/// The metadata entry `lora_adapter_metadata` is JSON with rank, alpha, target modules and whether it is DoRA; loaders
/// raise on fields that they do not know, so nothing else goes there.
package enum AdapterFile {
    package static let name = "pytorch_lora_weights.safetensors"
    private static let prefix = "unet."
    private static let settingsKey = "lora_adapter_metadata"

    // MARK: Writing

    /// The file's bytes; the same adapter gives the same bytes.
    package static func data(_ adapter: Adapter) throws(AdapterError) -> Data {
        let settings = try settings(of: adapter)
        let tensors = adapter.parameters.map { (prefix + $0.name, $0.value) }
        return SafetensorsWriter.data(
            Dictionary(uniqueKeysWithValues: tensors), metadata: ["format": "pt", settingsKey: settings])
    }

    /// Writes the file atomically and gives its digest.
    ///
    /// - Parameter files: how; by default through the file's own folder.
    @discardableResult
    package static func write(
        _ adapter: Adapter, to file: URL, files: AtomicFiles? = nil
    ) throws(AdapterError) -> String {
        let data = try data(adapter)
        do {
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try (files ?? AtomicFiles(temporaryFolder: folder)).write(data, to: file)
        } catch {
            throw .notWritten(file: file.path, reason: "\(error)")
        }
        return Digest(of: data).hex
    }

    private static func settings(of adapter: Adapter) throws(AdapterError) -> String {
        let settings = Settings(
            r: adapter.rank, alpha: Double(adapter.alpha), targetModules: adapter.targetModules,
            useDora: adapter.kind == .dora)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(settings), as: UTF8.self)
        } catch {
            throw .notWritten(file: name, reason: "\(error)")
        }
    }

    // MARK: Reading

    /// Reads an adapter written by Attune, or by PEFT and diffusers (`.default` in keys, `.weight` after the magnitude,
    /// no `unet.` prefix, no metadata: then alpha is the rank).
    package static func read(_ file: URL) throws(AdapterError) -> Adapter {
        let safetensors: SafetensorsFile
        do {
            safetensors = try SafetensorsFile(file)
        } catch {
            throw .unreadable(file: file.path, reason: "\(error)")
        }
        var parts: [String: [String: Tensor]] = [:]
        for key in safetensors.names.sorted() {
            guard let (path, part) = split(key) else { throw .unknownKey(key, file: file.path) }
            do {
                parts[path, default: [:]][part] = try safetensors.tensor(key)
            } catch {
                throw .unreadable(file: file.path, reason: "\(error)")
            }
        }
        let settings = try readSettings(safetensors.metadata[settingsKey], file: file.path)
        return try assemble(parts, settings: settings, file: file.path)
    }

    /// SHA-256 of the file's bytes, as an adapter's name in provenance.
    package static func digest(of file: URL) throws(AdapterError) -> String {
        do {
            return Digest(of: try Data(contentsOf: file, options: .mappedIfSafe)).hex
        } catch {
            throw .unreadable(file: file.path, reason: error.localizedDescription)
        }
    }

    private static func split(_ key: String) -> (path: String, part: String)? {
        var key = Substring(key)
        for lead in ["base_model.model.", prefix] where key.hasPrefix(lead) { key = key.dropFirst(lead.count) }
        let spellings = [
            (AdapterKey.down, AdapterKey.down), (".lora_A.default.weight", AdapterKey.down),
            (AdapterKey.up, AdapterKey.up), (".lora_B.default.weight", AdapterKey.up),
            (AdapterKey.magnitude, AdapterKey.magnitude),
            (AdapterKey.magnitude + ".weight", AdapterKey.magnitude),
            (AdapterKey.magnitude + ".default", AdapterKey.magnitude),
            (AdapterKey.magnitude + ".default.weight", AdapterKey.magnitude),
        ]
        for (ending, part) in spellings where key.hasSuffix(ending) {
            return (String(key.dropLast(ending.count)), part)
        }
        return nil
    }

    private static func assemble(
        _ parts: [String: [String: Tensor]], settings: Settings?, file: String
    ) throws(AdapterError) -> Adapter {
        var layers: [String: AdapterLayer] = [:]
        for (path, part) in parts {
            guard let down = part[AdapterKey.down] else {
                throw .incompleteLayer(path: path, missing: "lora_A", file: file)
            }
            guard let up = part[AdapterKey.up] else {
                throw .incompleteLayer(path: path, missing: "lora_B", file: file)
            }
            guard down.shape.count == 2, up.shape.count == 2, down.shape[0] == up.shape[1] else {
                throw .unreadable(file: file, reason: "layer \(path) has factors \(up.shape) and \(down.shape)")
            }
            layers[path] = AdapterLayer(down: down, up: up, magnitude: part[AdapterKey.magnitude])
        }
        guard let rank = settings?.r ?? layers.values.first?.rank else {
            throw .unreadable(file: file, reason: "it holds no layers")
        }
        if let odd = layers.first(where: { $0.value.rank != rank }) {
            throw .unreadable(
                file: file,
                reason: "layer \(odd.key) has rank \(odd.value.rank), the others \(rank); one rank is needed")
        }
        let isDora = settings?.useDora ?? layers.values.contains { $0.magnitude != nil }
        if isDora, let plain = layers.first(where: { $0.value.magnitude == nil }) {
            throw .incompleteLayer(path: plain.key, missing: "lora_magnitude_vector", file: file)
        }
        return Adapter(
            kind: isDora ? .dora : .lora, rank: rank, alpha: Float(settings?.alpha ?? Double(rank)),
            targetModules: settings?.targetModules ?? [], layers: layers)
    }

    // MARK: Metadata

    private struct Settings: Codable {
        let r: Int
        let alpha: Double
        let targetModules: [String]
        let useDora: Bool

        enum CodingKeys: String, CodingKey {
            case r = "unet.r"
            case alpha = "unet.lora_alpha"
            case targetModules = "unet.target_modules"
            case useDora = "unet.use_dora"
        }

        init(r: Int, alpha: Double, targetModules: [String], useDora: Bool) {
            self.r = r
            self.alpha = alpha
            self.targetModules = targetModules
            self.useDora = useDora
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            r = try container.decode(Int.self, forKey: .r)
            alpha = try container.decodeIfPresent(Double.self, forKey: .alpha) ?? Double(r)
            // A single pattern is written as a string.
            if let list = try? container.decode([String].self, forKey: .targetModules) {
                targetModules = list
            } else {
                targetModules = (try container.decodeIfPresent(String.self, forKey: .targetModules)).map { [$0] } ?? []
            }
            useDora = try container.decodeIfPresent(Bool.self, forKey: .useDora) ?? false
            try Unsupported.check(decoder)
        }
    }

    /// Settings of PEFT that change what an adapter computes and that are not read here: better no adapter than a
    /// wrong one.
    private struct Unsupported: Decodable {
        let rankStabilised: Bool?
        let rankPattern: [String: Int]?
        let alphaPattern: [String: Double]?

        enum CodingKeys: String, CodingKey {
            case rankStabilised = "unet.use_rslora"
            case rankPattern = "unet.rank_pattern"
            case alphaPattern = "unet.alpha_pattern"
        }

        static func check(_ decoder: any Decoder) throws {
            let found = try Unsupported(from: decoder)
            if found.rankStabilised == true || found.rankPattern?.isEmpty == false
                || found.alphaPattern?.isEmpty == false
            {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: [], debugDescription: "use_rslora, rank_pattern and alpha_pattern are not supported"
                    ))
            }
        }
    }

    private static func readSettings(_ text: String?, file: String) throws(AdapterError) -> Settings? {
        guard let text else { return nil }
        do {
            return try JSONDecoder().decode(Settings.self, from: Data(text.utf8))
        } catch DecodingError.dataCorrupted(let context) where !context.debugDescription.isEmpty {
            throw .unreadable(file: file, reason: "its \(settingsKey) is not understood: \(context.debugDescription)")
        } catch {
            throw .unreadable(file: file, reason: "its \(settingsKey) is not understood")
        }
    }
}
