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
    /// are read, into the memory of those before it unless `body` keeps them.
    ///
    /// - Parameters:
    ///   - rows: the samples, in the order in which they are wanted.
    ///   - size: samples of a batch; the last one may have fewer.
    ///   - body: given the places in `rows` and the latents of the samples there.
    package func forEachBatch(
        _ rows: [CatalogueRow], of size: Int, _ body: (Range<Int>, [[Float]]) throws(CorpusError) -> Void
    ) throws(CorpusError) {
        let batches = stride(from: 0, to: rows.count, by: size).map { $0..<min($0 + size, rows.count) }
        let spare = SpareLatents()
        let read: @Sendable (Range<Int>) -> Result<[[Float]], CorpusError> = { batch in
            Result { () throws(CorpusError) in
                try self.following(Array(rows[batch])) { (rows) throws(CorpusError) in
                    try self.readInOrder(rows[...], into: spare)
                }
            }
        }
        try Lookahead.run(batches, read) { (done, latents) throws(CorpusError) in
            let latents = try latents.get()
            try body(batches[done - 1], latents)
            spare.give(latents)
        }
    }

    /// Samples that one thread reads at a time.
    private static var block: Int { 16 }

    private func readInOrder(
        _ rows: ArraySlice<CatalogueRow>, into spare: SpareLatents = SpareLatents()
    ) throws(CorpusError) -> [[Float]] {
        var latents: [[Float]] = []
        latents.reserveCapacity(rows.count)
        var open: (shard: Digest, shape: [Int], reader: LatentReader)?
        for row in rows {
            if row.latentShape.isEmpty {
                latents.append([])
                continue
            }
            if open?.shard != row.shard || open?.shape != row.latentShape {
                open = (row.shard, row.latentShape, try shard(row.shard).latents(row.latentShape))
            }
            guard let reader = open?.reader else { continue }
            if var latent = spare.take(reader.valueCount) {
                try reader.read(row.row, into: &latent)
                latents.append(latent)
            } else {
                latents.append(try reader.row(row.row))
            }
        }
        return latents
    }
}

/// Latents that have been used: fresh memory for each costs the system as much as unpacking it does. One that somebody
/// has kept is copied when it is written to, as arrays are.
private final class SpareLatents: Sendable {
    private let latents = Mutex<[[Float]]>([])

    func give(_ used: [[Float]]) { latents.withLock { $0 += used } }

    /// One of so many values, if there is one.
    func take(_ count: Int) -> [Float]? {
        latents.withLock { latents in
            while let last = latents.popLast() { if last.count == count { return last } }
            return nil
        }
    }
}
