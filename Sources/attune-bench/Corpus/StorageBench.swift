import ArgumentParser
import CorpusStore
import Foundation
import Workflows

/// The work of Benchmarks/peers/storage_peer.py, in its words.
struct StorageBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage", abstract: "Write samples, read their latents in order and shuffled, open cold.")

    @Argument var folder: String
    @Option(name: .customLong("n")) var count = 10_000
    @Option var side = 64
    @Option var latent = "4,64,64"
    @Option(help: "A folder with the peers' images.") var images: String?
    @Option(help: "About how large a shard is, in MB.") var shard = 64
    @Option(help: "Samples per batch.") var batch = 64

    private struct Line: Encodable {
        var peer = "attune"
        var n: Int
        var raw_mb, synced_write_per_s, write_cpu_s, read_first_per_s, read_in_order_per_s, read_shuffled_per_s,
            open_first_s,
            size_mb: Double
    }

    func run() throws {
        let made = try SyntheticSamples(side: side, latentShape: try shape(latent), images: images)
        let place = URL(fileURLWithPath: folder)
        let corpus = try Corpus.create(at: place, scoring: TraceScores())
        let sample = made.records(0..<1).reduce(0) { $0 + $1.png.count + 4 * $1.latent.count }
        let pack = max(shard * 1_000_000 / sample, 1)
        let batches = stride(from: 0, to: count, by: pack).map { made.records($0..<min($0 + pack, count)) }
        let raw = batches.joined().reduce(0) { $0 + $1.png.count + 4 * $1.latent.count }
        let before = processorSeconds
        let writing = try time {
            try corpus.appendShards { append in for batch in batches { try append(batch) } }
        }
        let processor = processorSeconds - before
        let order = try corpus.ids(CatalogueQuery())
        let reader = SampleReader(corpus)
        let rows = try reader.rows(order).sorted { ($0.shard, $0.row) < ($1.shard, $1.row) }
        var draws = SystemRandomNumberGenerator()
        let shuffled = rows.shuffled(using: &draws)
        // What is written past the page cache comes from the disk the first time; the peers' files are in it already.
        let first = try time { try touch(rows, reader) }
        let (inOrder, inDisorder) = (try read(rows, reader), try read(shuffled, reader))
        let opening = try time {
            let corpus = try Corpus(at: place, scoring: TraceScores())
            _ = try SampleReader(corpus).latents(corpus.query(CatalogueQuery(top: 1)))
        }
        let line = Line(
            n: count, raw_mb: Double(raw) / 1e6, synced_write_per_s: Double(count) / writing, write_cpu_s: processor,
            read_first_per_s: Double(count) / first, read_in_order_per_s: Double(count) / inOrder,
            read_shuffled_per_s: Double(count) / inDisorder,
            open_first_s: opening, size_mb: try bytes(in: folder) / 1e6)
        print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
    }

    /// The median of three times.
    private func read(_ rows: [CatalogueRow], _ reader: SampleReader) throws -> Double {
        try times(3) { try touch(rows, reader) }.sorted()[1]
    }

    /// Touches each latent, as the peers do.
    private func touch(_ rows: [CatalogueRow], _ reader: SampleReader) throws {
        var sum = 0.0
        try reader.forEachBatch(rows, of: batch) { _, latents in for latent in latents { sum += Double(latent[0]) } }
        if sum.isNaN { print("NaN") }
    }
}

/// Latents of a corpus that is there, read as often as one likes: what a loader of another language is compared with.
struct ReadLatents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Read a corpus's latents in order, and say how many per second.")

    @Argument var folder: String
    @Option(help: "Samples per batch.") var batch = 64
    @Option(help: "Passes; the median counts.") var runs = 3

    private struct Line: Encodable {
        var peer = "attune"
        var latents_per_s: Double
    }

    func run() throws {
        let corpus = try Corpus(at: URL(fileURLWithPath: folder), scoring: TraceScores())
        let reader = SampleReader(corpus)
        let rows = try corpus.query(CatalogueQuery()).sorted { ($0.shard, $0.row) < ($1.shard, $1.row) }
        var sum = 0.0
        func pass() throws(CorpusError) {
            try reader.forEachBatch(rows, of: batch) { _, latents in
                for latent in latents { sum += Double(latent[0]) }
            }
        }
        try pass()
        let seconds = try times(max(runs, 1)) { try pass() }.sorted()
        if sum.isNaN { print("NaN") }
        let line = Line(latents_per_s: Double(rows.count) / seconds[seconds.count / 2])
        print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
    }
}
