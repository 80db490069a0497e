import ArgumentParser
import CorpusStore
import Foundation
import Workflows

/// Deriving a catalogue again.
struct ReindexBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex", abstract: "Derive the catalogue of a corpus again, with and without hashing every byte."
    )

    @Argument var folder: String
    @Option var runs = 3

    func run() throws {
        let place = URL(fileURLWithPath: folder)
        func reindex() throws -> Int { try Corpus.reindex(at: place, scoring: TraceScores()).corpus.summary().samples }
        func report(_ what: String, _ samples: Int, _ runs: [Double]) throws {
            var line = Measurement(what, runs)
            line.count = samples
            line.perSecond = Double(samples) / line.seconds
            line.megabytes = try bytes(in: folder + "/shards") / 1e6
            try line.print()
        }
        var samples = 0
        let known = try times(runs) { samples = try reindex() }
        try report("reindex, bytes known", samples, known)
        var lost: [Double] = []
        for _ in 0..<runs {
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: folder + "/catalog.sqlite" + suffix)
            }
            lost.append(try time { samples = try reindex() })
        }
        try report("reindex, catalogue lost", samples, lost)
    }
}
