import Codecs
import CorpusStore
import Foundation
import Testing

/// A folder that is removed at the end of a test.
struct TemporaryFolder: ~Copyable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url.appending(path: "tmp"), withIntermediateDirectories: true)
    }

    var files: AtomicFiles { AtomicFiles(temporaryFolder: url.appending(path: "tmp")) }

    deinit { try? FileManager.default.removeItem(at: url) }
}

func sampleRecords(_ count: Int) throws -> [SampleRecord] {
    try (0..<count).map { index in
        let pixels = (0..<3 * 8 * 8).map { UInt8(truncatingIfNeeded: $0 &* (index + 3)) }
        return SampleRecord(
            recipe: SampleRecipe(
                prompt: index < 2 ? "ein Würfel \u{1F3B2}" : "three green stars", seed: 42 + UInt64(index),
                model: "sha256:test", sampler: "ddpm", steps: 4, guidance: 7.5, width: 8, height: 8),
            tag: index == 0 ? "first" : nil, png: try PNG.encode(width: 8, height: 8, pixels: pixels),
            pixels: Digest(of: pixels), latentShape: index == 3 ? [4, 1, 2] : [4, 2, 2],
            latent: (0..<(index == 3 ? 8 : 16)).map { Float($0 * index) * 0.25 },
            timesteps: index == 1 ? [751, 501] : [751, 501, 251, 1],
            deltaSquared: index == 1 ? [1, .nan] : [4, 3, 2, Float(index)])
    }
}

@Suite struct ShardTests {
    @Test func recordsComeBack() throws {
        let folder = try TemporaryFolder()
        let records = try sampleRecords(5)
        let digest = try ShardWriter.write(records, to: folder.url, files: folder.files)
        let shard = try ShardReader(ShardWriter.location(of: digest, in: folder.url), digest: digest)
        #expect(shard.ids == records.map(\.id))
        #expect(try shard.prompts() == records.map(\.recipe.prompt))
        #expect(try shard.ids.indices.map { Data(try shard.manifest($0)) } == records.map(\.manifest.data))
        let all = try shard.manifests()
        #expect(shard.ids.indices.map { row in all.with(row) { Data($0) } } == records.map(\.manifest.data))
        #expect(try shard.images([4, 1]) == [records[4].png, records[1].png])
        #expect(try shard.latents([4, 0], shape: [4, 2, 2]) == [records[4].latent, records[0].latent])
        #expect(try shard.latents([3], shape: [4, 1, 2]) == [records[3].latent])
        let traces = try shard.traces()
        #expect(traces.map(\.timesteps) == records.map(\.timesteps))
        #expect(traces[1].deltaSquared[0] == 1 && traces[1].deltaSquared[1].isNaN)
        try shard.verify()
    }

    @Test func theSameRowsGiveTheSameBytes() throws {
        let a = try TemporaryFolder()
        let b = try TemporaryFolder()
        let first = try ShardWriter.write(sampleRecords(4), to: a.url, files: a.files)
        Thread.sleep(forTimeInterval: 1.1)
        let second = try ShardWriter.write(sampleRecords(4), to: b.url, files: b.files)
        #expect(first == second)
        #expect(try FileManager.default.contentsOfDirectory(atPath: a.url.appending(path: "tmp").path).isEmpty)
    }

    @Test func anyFlippedByteIsFound() throws {
        let folder = try TemporaryFolder()
        let digest = try ShardWriter.write(sampleRecords(3), to: folder.url, files: folder.files)
        let url = ShardWriter.location(of: digest, in: folder.url)
        let whole = try Data(contentsOf: url)
        for position in stride(from: 0, to: whole.count, by: max(whole.count / 97, 1)) {
            var damaged = whole
            damaged[position] ^= 0x04
            try damaged.write(to: url)
            #expect(throws: CorpusError.self) { _ = try ShardReader(url, digest: digest).ids.count }
        }
        try whole.prefix(whole.count - 1).write(to: url)
        #expect(throws: CorpusError.self) { _ = try ShardReader(url, digest: digest).ids.count }
    }

    /// Samples whose latents take every way of coding: small ones are stored raw; then exponents alone shrink, in planes of
    /// one block and of several, or other bytes do as well.
    private func variouslyCoded() throws -> [SampleRecord] {
        var records = try sampleRecords(8)
        for (index, side) in [(5, 64), (6, 256), (7, 64)] {
            let values = (0..<4 * side * side).map { sin(Float($0) * 12.9898) * 3 }
            records[index].latentShape = [4, side, side]
            records[index].latent = index == 7 ? values.map { Float(Float16($0)) } : values
        }
        return records
    }

    private static let python = ProcessInfo.processInfo.environment["ATTUNE_PYTHON"]

    @Test(.enabled(if: python != nil, "ATTUNE_PYTHON names no Python with h5py: make setup-python, make test"))
    func shardsOpenInH5py() throws {
        let python = try #require(Self.python)
        let folder = try TemporaryFolder()
        let records = try variouslyCoded()
        let digest = try ShardWriter.write(records, to: folder.url, files: folder.files)
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Interop/read_shard.py")
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [script.path, ShardWriter.location(of: digest, in: folder.url).path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        struct Seen: Decodable {
            var id, prompt: String
            var png_bytes: Int
            var delta_sum: Double
        }
        let seen = try JSONDecoder().decode([Seen].self, from: data)
        #expect(seen.map(\.id) == records.map(\.id.hex))
        #expect(seen.map(\.prompt) == records.map(\.recipe.prompt))
        #expect(seen.map(\.png_bytes) == records.map(\.png.count))
        #expect(seen.map(\.delta_sum) == [9, 1, 11, 12, 13, 14, 15, 16])
    }
}

@Suite struct IdentityTests {
    @Test func canonicalNumbersAreECMAScripts() {
        let cases: [(Double, String)] = [
            (0, "0"), (-0.0, "0"), (1, "1"), (7.5, "7.5"), (-1.5, "-1.5"), (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1e-6, "0.000001"), (1e-7, "1e-7"), (123_456.789, "123456.789"), (Double.leastNonzeroMagnitude, "5e-324"),
            (1.25e-9, "1.25e-9"),
            (333_333_333.333_333_3, "333333333.3333333"), (1e23, "1e+23"),
        ]
        for (value, text) in cases { #expect(CanonicalJSON.number(value).text == text) }
    }

    @Test func membersSortByUTF16() {
        let object = CanonicalJSON.object(["\u{FB33}": .integer(2), "\u{1F600}": .integer(1), "a\n": .null])
        #expect(object.text == "{\"a\\n\":null,\"\u{1F600}\":1,\"\u{FB33}\":2}")
    }

    @Test func digestsAreSHA256() throws {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(Digest(of: Data()).hex == empty)
        #expect(try #require(Digest(hex: empty)).raw.count == 32)
        #expect(Digest(raw: try #require(Digest(hex: empty)).raw).hex == empty)
        #expect(Digest(hex: "E3") == nil)
    }
}
