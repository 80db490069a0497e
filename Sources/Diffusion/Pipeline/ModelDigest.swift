package import Foundation
import Hashing

/// The identity of a model folder: SHA-256 over the names and contents of just those files that Attune reads, in order of
/// their paths.
///
/// What is beside them (README, safety checker, other copies of the same weights) does not count.
package enum ModelDigest {
    /// - Parameters:
    ///   - folder: the model, in diffusers' layout.
    ///   - variant: the copy of the weights that is read, as for
    ///     `DiffusionModel.load`.
    /// - Returns: `sha256:` and 64 hexadecimal digits.
    /// - Throws: ``ModelError`` where a file is missing or cannot be read.
    package static func compute(folder: URL, variant: String? = nil) throws(ModelError) -> String {
        try digest(of: try files(in: folder, variant: variant), in: folder)
    }

    /// The same of a vision encoder that stands alone, in a folder of transformers.
    static func compute(encoder folder: URL, variant: String?) throws(ModelError) -> String {
        let weights = try WeightFiles(encoder: folder).chosen(variant).map(\.lastPathComponent)
        return try digest(of: (["config.json", "preprocessor_config.json"] + weights).sorted(), in: folder)
    }

    private static func digest(of files: [String], in folder: URL) throws(ModelError) -> String {
        var whole = SHA256()
        for name in files {
            let file = try digest(of: folder.appendingPathComponent(name))
            whole.update(data: Data("\(name)\u{0}\(hex(file))\n".utf8))
        }
        return "sha256:\(hex(whole.finalize()))"
    }

    /// Paths below the folder of the files that are read, sorted.
    package static func files(in folder: URL, variant: String?) throws(ModelError) -> [String] {
        var paths = ["model_index.json", "scheduler/scheduler_config.json"]
        for component in ModelComponent.allCases {
            if component == .textEncoder2, try !ModelLayout.has(component, folder) { continue }
            let name = component.rawValue
            paths.append("\(name)/config.json")
            let weights = try WeightFiles(folder.appendingPathComponent(name), component).chosen(variant)
            paths += weights.map { "\(name)/\($0.lastPathComponent)" }
        }
        for name in ["tokenizer", "tokenizer_2"] {
            let url = folder.appendingPathComponent(name)
            guard try ModelFile.list(url) != nil else { continue }
            paths += try TokenizerFiles(url).names.map { "\(name)/\($0)" }
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Bytes of a file that are in memory at one time: SDXL's 10 GB beside the weights that were made of them are too many.
    private static let part = 64 << 20

    private static func digest(of url: URL) throws(ModelError) -> [UInt8] {
        let map = try MemoryMap(url)
        let bytes = UnsafeRawBufferPointer(start: map.base, count: map.count)
        return withExtendedLifetime(map) {
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: part) {
                hash.update(
                    bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + part, bytes.count)]))
                map.release()
            }
            return hash.finalize()
        }
    }

    private static func hex(_ digest: [UInt8]) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
