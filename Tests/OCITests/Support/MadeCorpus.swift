import Codecs
import Corpus
import Foundation

/// A corpus knows no estimator; these tests need none.
struct NoScores: TraceScoring {
    let identity = "none"

    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) { (.nan, .nan, .nan) }
}

/// A folder that goes away with its test.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "attune-oci-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func url(_ name: String) -> URL { url.appending(path: name) }
    func corpus(_ name: String) throws -> Corpus { try Corpus.create(at: url(name), scoring: NoScores()) }
}

/// Samples whose pixels and latents follow from their seed.
enum Made {
    static func record(_ seed: UInt64, prompt: String = "a red circle", side: Int = 32) throws -> SampleRecord {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let pixels = (0..<3 * side * side).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
        let latent = (0..<4 * 8 * 8).map { _ in Float(Int32(truncatingIfNeeded: next())) / Float(1 << 30) }
        return SampleRecord(
            recipe: SampleRecipe(
                prompt: prompt, seed: seed, model: "sha256:made", sampler: "ddpm", steps: 3, guidance: 5, width: side,
                height: side),
            tag: "made", png: try PNG.encode(width: side, height: side, pixels: pixels), pixels: Digest(of: pixels),
            latentShape: [4, 8, 8], latent: latent, timesteps: [999, 500, 1], deltaSquared: [1, 2, .nan])
    }

    /// `count` samples in shards of eight, and a selection `best` of all of them.
    static func fill(_ corpus: Corpus, count: Int, from seed: UInt64 = 0, side: Int = 32) throws {
        let seeds = Array(seed..<seed + UInt64(count))
        for start in stride(from: 0, to: count, by: 8) {
            try corpus.append(
                try seeds[start..<min(start + 8, count)].map {
                    try record($0, prompt: "a star \u{2605} no. \($0 % 5)", side: side)
                })
        }
        try corpus.store(corpus.resolve(CatalogueQuery(condition: "tag = 'made'")), as: "best")
    }
}

/// Programs that tests talk to.
enum Programs {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func find(_ name: String) -> URL? {
        ((ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/usr/local/sbin").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// The names of those that are missing.
    static func missing(_ names: String...) -> [String] { names.filter { find($0) == nil } }

    /// The built command, beside the test bundle.
    static let attune: URL = {
        let itself = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: itself).deletingLastPathComponent().appending(path: "attune")
    }()

    /// Runs a program to its end.
    @discardableResult
    static func run(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = (Pipe(), FileManager.default.temporaryDirectory.appending(path: UUID().uuidString))
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: said, as: UTF8.self),
            String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        )
    }
}
