import ArgumentParser
import CorpusStore
import Foundation
import Workflows

/// A catalogue alone: rows that no shards are behind.
struct MakeRows: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-rows", abstract: "A corpus with a full catalogue and empty shards.")

    @Argument var folder: String
    @Option var rows = 1_000_000
    @Option var prompts = 200_000

    func run() throws {
        let corpus = try Corpus.create(at: URL(fileURLWithPath: folder), scoring: TraceScores())
        let made = SyntheticRows(rows: rows, prompts: min(prompts, rows))
        let seconds = try time { try corpus.fillCatalogue(shards: made.shards) { made.shard($0) } }
        // Folders as the shards would fill them, for the opening to look at.
        for index in 0..<256 {
            let name = String(format: "%02x", index)
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: folder).appending(path: "shards/\(name)"), withIntermediateDirectories: true)
        }
        var line = Measurement("catalogue of \(rows) rows filled", [seconds])
        line.perSecond = Double(rows) / seconds
        line.megabytes = try bytes(in: folder) / 1e6
        try line.print()
    }
}

/// Complete samples in packed shards.
struct MakeSamples: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-samples", abstract: "A corpus of whole samples in packed shards.")

    @Argument var folder: String
    @Option var samples = 100_000
    @Option(help: "Pixels along an image's side.") var side = 64
    @Option(help: "Channels, height and width.") var latent = "4,16,16"
    @Option(help: "Samples per shard.") var pack = 5000

    func run() throws {
        let corpus = try Corpus.create(at: URL(fileURLWithPath: folder), scoring: TraceScores())
        let made = try SyntheticSamples(side: side, latentShape: try shape(latent), images: nil)
        try corpus.appendShards { append in
            for start in stride(from: 0, to: samples, by: pack) {
                try append(made.records(start..<min(start + pack, samples)))
            }
        }
    }
}

func shape(_ text: String) throws -> [Int] {
    let shape = text.split(separator: ",").compactMap { Int($0) }
    guard shape.count == 3 else { throw ValidationError("a latent has three dimensions, as in 4,64,64") }
    return shape
}

/// Of all files below a folder.
func bytes(in folder: String) throws -> Double {
    let manager = FileManager.default
    return try manager.subpathsOfDirectory(atPath: folder).reduce(0) { sum, path in
        let attributes = try manager.attributesOfItem(atPath: folder + "/" + path)
        let isFile = attributes[.type] as? FileAttributeType == .typeRegular
        return sum + (isFile ? (attributes[.size] as? NSNumber)?.doubleValue ?? 0 : 0)
    }
}

func time<E: Error>(_ body: () throws(E) -> Void) throws(E) -> Double {
    let clock = ContinuousClock()
    let begin = clock.now
    try body()
    return (clock.now - begin) / .seconds(1)
}
