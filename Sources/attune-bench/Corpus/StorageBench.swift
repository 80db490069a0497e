import ArgumentParser
import Corpus
import Foundation
import Synchronization
import Tuning

/// The work of Benchmarks/peers/storage_peer.py, in its words.
struct StorageBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage", abstract: "Write samples, read their latents in order and shuffled, open cold.")

    @Argument var folder: String
    @Option(name: .customLong("n")) var count = 10_000
    @Option var side = 64
    @Option var latent = "4,64,64"
    @Option(help: "A folder with the peers' pictures.") var pictures: String?
    @Option(help: "Samples a shard.") var pack = 2000
    @Option(help: "Samples a batch.") var batch = 64

    private struct Line: Encodable {
        var peer = "attune"
        var n: Int
        var raw_mb, write_per_s, read_in_order_per_s, read_shuffled_per_s, open_first_s, size_mb: Double
    }

    func run() throws {
        let made = try SyntheticSamples(side: side, latentShape: try shape(latent), pictures: pictures)
        let place = URL(fileURLWithPath: folder)
        let corpus = try Corpus.create(at: place, scoring: TraceScores())
        var (raw, writing) = (0, 0.0)
        for start in stride(from: 0, to: count, by: 2 * pack) {
            let batches = [start, start + pack].filter { $0 < count }.map { made.records($0..<min($0 + pack, count)) }
            raw += batches.joined().reduce(0) { $0 + $1.png.count + 4 * $1.latent.count }
            writing += try time { try write(batches, corpus) }
        }
        let order = try corpus.ids(CatalogueQuery()).map(\.hex)
        let reader = SampleReader(corpus)
        let rows = try reader.rows(order).sorted { ($0.shard, $0.row) < ($1.shard, $1.row) }
        var draws = SystemRandomNumberGenerator()
        let shuffled = rows.shuffled(using: &draws)
        let (inOrder, inDisorder) = (try read(rows, reader), try read(shuffled, reader))
        let opening = try time {
            let corpus = try Corpus(at: place, scoring: TraceScores())
            _ = try SampleReader(corpus).latents(corpus.query(CatalogueQuery(top: 1)))
        }
        let line = Line(
            n: count, raw_mb: Double(raw) / 1e6, write_per_s: Double(count) / writing,
            read_in_order_per_s: Double(count) / inOrder, read_shuffled_per_s: Double(count) / inDisorder,
            open_first_s: opening, size_mb: try bytes(in: folder) / 1e6)
        print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
    }

    /// Two shards at a time: while one is built and synced, the other's samples are hashed and compressed.
    private func write(_ batches: [[SampleRecord]], _ corpus: Corpus) throws {
        let failure = Mutex<CorpusError?>(nil)
        DispatchQueue.concurrentPerform(iterations: batches.count) { index in
            do throws(CorpusError) { try corpus.append(batches[index]) } catch { failure.withLock { $0 = error } }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Touches each latent, as the peers do; the median of three times.
    private func read(_ rows: [CatalogueRow], _ reader: SampleReader) throws -> Double {
        let runs = try times(3) {
            var sum = 0.0
            try reader.forEachBatch(rows, of: batch) { _, latents in for latent in latents { sum += Double(latent[0]) }
            }
            if sum.isNaN { print("NaN") }
        }
        return runs.sorted()[1]
    }
}
