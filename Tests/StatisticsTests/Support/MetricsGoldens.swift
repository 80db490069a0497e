import Foundation
import Testing

import Statistics

/// Files and values of `Tests/Goldens/make_metrics_goldens.py`.
enum MetricsGoldens {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Goldens/metrics")

    struct Values: Decodable {
        let fid_sqrtm, fid_exact, fid_torch_fidelity, kid_mean, kid_std, kid_all, cmmd, cmmd_normalized: Double
        let precision, recall, density, coverage: Double
    }

    struct Settings: Decodable { let subsets, size, seed, k: Int }

    struct Expected: Decodable {
        let settings: Settings
        let many, few: Values
        let choices: [[Int]]
        let spectrum: [Double]
    }

    static func expected() throws -> Expected {
        try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
    }

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    static func features(_ name: String) throws -> Features {
        try #require(try FeatureFile(path(name)).features)
    }

    /// The message of the failure to read a file.
    static func refusal(_ path: String, key: String? = nil) -> String? {
        do {
            _ = try FeatureFile(path, key: key)
            return nil
        } catch { return "\(error)" }
    }
}

/// A folder for one test, gone afterwards.
final class ScratchFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("metrics-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String, _ data: Data) throws -> String {
        let file = url.appendingPathComponent(name)
        try data.write(to: file)
        return file.path
    }
}

/// Whether two values agree to one in ten thousand.
func agree(_ a: Double, _ b: Double, within tolerance: Double = 1e-4) -> Bool {
    abs(a - b) <= tolerance * max(abs(b), 1e-12)
}
