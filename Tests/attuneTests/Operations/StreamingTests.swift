import CorpusStore
import Foundation
import TestSupport
import Testing
import Workflows

/// A query of many samples: its first line comes at once, and its memory does not grow with their number.
@Suite struct StreamingTests {
    private static let samples = Attune.isLong ? 1_000_000 : 100_000

    /// A corpus whose catalogue has that many rows, without shards behind them.
    private func corpus(_ scratch: Scratch) throws -> String {
        let path = scratch.path("corpus")
        let corpus = try Corpus.create(at: URL(fileURLWithPath: path, isDirectory: true), scoring: TraceScores())
        let size = 10_000
        try corpus.fillCatalogue(shards: Self.samples / size) { shard in
            let rows = (shard * size..<(shard + 1) * size).map { number in
                PreparedSamples.Row(
                    id: Digest(of: Data("sample \(number)".utf8)), recipe: Digest(of: Data("recipe \(number)".utf8)),
                    prompt: "a red circle beside a blue square, number \(number / 4)", seed: "\(number % 4)", origin: 0,
                    mi: Double(number % 1000), standardError: 1, reference: 2)
            }
            let origin = SampleOrigin(
                model: "sha256:m", sampler: "ddim", steps: 10, guidance: 5, width: 64, height: 64,
                latentShape: [4, 8, 8])
            return PreparedSamples(synthetic: rows, origins: [origin], shard: Digest(of: Data("shard \(shard)".utf8)))
        }
        return path
    }

    @Test func memoryIsBounded() throws {
        let scratch = try Scratch()
        let path = try corpus(scratch)
        for options in [[], ["--json"], ["--by", "mi"]] { try measure(path, options) }
    }

    private func measure(_ path: String, _ options: [String]) throws {
        let process = Process()
        process.executableURL = Attune.binary
        process.arguments = ["query", "--corpus", path] + options
        let pipe = Pipe()
        process.standardOutput = pipe
        let begin = ContinuousClock.now
        try process.run()
        var lines = 0
        var first: Duration?
        // A sample is a line of a table, and in JSON has one line with its id.
        let mark = Data((options == ["--json"] ? "\"id\" :" : "\n").utf8)
        var peak = 0
        while let data = try pipe.fileHandleForReading.read(upToCount: 1 << 16), !data.isEmpty {
            if first == nil { first = ContinuousClock.now - begin }
            var rest = data[...]
            while let found = rest.range(of: mark) {
                lines += 1
                rest = rest[found.upperBound...]
            }
            // It waits for this reader now, so it is there to be asked.
            if lines > Self.samples * 9 / 10, peak == 0 { peak = Self.peakMemory(process.processIdentifier) }
        }
        process.waitUntilExit()
        let whole = ContinuousClock.now - begin
        #expect(process.terminationStatus == 0)
        // A mark may lie across two readings.
        #expect(abs(lines - Self.samples) < 500)
        #expect(peak > 0 && peak < 250 << 20, "\(peak >> 20) MiB")
        if options != ["--by", "mi"] { #expect(try #require(first) < whole / 3, "\(first ?? .zero) of \(whole)") }
    }

    @Test func aStreamIsOneDocument() throws {
        let scratch = try Scratch()
        let path = try corpus(scratch)
        for count in [1, 200, 201, 2500] {
            let found = try Query.samples(path, ["--top", "\(count)"])
            #expect(found.count == count && Set(found.map(\.id)).count == count)
        }
        #expect(try Query.samples(path, ["mi < 0"]).isEmpty)
        let table = try Attune.succeed("query", "--corpus", path, "--top", "2500").split(separator: "\n")
        #expect(table.count == 2501)
        #expect(table[0].hasPrefix("id            prompt"))
    }

    /// Of a running process, in bytes.
    private static func peakMemory(_ process: Int32) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}
