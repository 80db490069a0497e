import Foundation
import Synchronization

extension SampleReader {
    /// The latents of some samples, channels first, in the order asked for; read and unpacked on all cores.
    package func latents(_ rows: [CatalogueRow]) throws(CorpusError) -> [[Float]] {
        try following(rows) { (rows) throws(CorpusError) in try readOnAllCores(rows) }
    }

    private func readOnAllCores(_ rows: [CatalogueRow]) throws(CorpusError) -> [[Float]] {
        let blocks = stride(from: 0, to: rows.count, by: Self.block).map { $0..<min($0 + Self.block, rows.count) }
        let results = Mutex([Result<[[Float]], CorpusError>?](repeating: nil, count: blocks.count))
        DispatchQueue.concurrentPerform(iterations: blocks.count) { index in
            let result = Result { () throws(CorpusError) in try readInOrder(rows[blocks[index]]) }
            results.withLock { $0[index] = result }
        }
        var latents: [[Float]] = []
        latents.reserveCapacity(rows.count)
        for result in results.withLock({ $0 }) { latents += try result?.get() ?? [] }
        return latents
    }

    /// Calls `body` with the latents of some samples, a batch at a time and in order; while it works, the next batches
    /// are read.
    ///
    /// - Parameter body: given the places in `rows` and the latents of the samples there.
    package func forEachBatch(
        _ rows: [CatalogueRow], of size: Int, _ body: (Range<Int>, [[Float]]) throws(CorpusError) -> Void
    ) throws(CorpusError) {
        let batches = stride(from: 0, to: rows.count, by: size).map { $0..<min($0 + size, rows.count) }
        let read: @Sendable (Range<Int>) -> Result<[[Float]], CorpusError> = { batch in
            Result { () throws(CorpusError) in
                try self.following(Array(rows[batch])) { (rows) throws(CorpusError) in try self.readInOrder(rows[...]) }
            }
        }
        try Lookahead.run(batches, read) { (done, latents) throws(CorpusError) in
            try body(batches[done - 1], latents.get())
        }
    }

    /// Samples that one thread reads at a time.
    private static var block: Int { 16 }

    private func readInOrder(_ rows: ArraySlice<CatalogueRow>) throws(CorpusError) -> [[Float]] {
        var latents: [[Float]] = []
        latents.reserveCapacity(rows.count)
        var open: (shard: String, shape: [Int], reader: LatentReader)?
        for row in rows {
            if row.latentShape.isEmpty {
                latents.append([])
                continue
            }
            if open?.shard != row.shard || open?.shape != row.latentShape {
                open = (row.shard, row.latentShape, try shard(row.shard).latents(row.latentShape))
            }
            if let reader = open?.reader { latents.append(try reader.row(row.row)) }
        }
        return latents
    }
}
