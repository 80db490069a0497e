import DiskAccess
import Synchronization

/// Reads stored samples by id, from any number of threads. Shards stay open between calls; the ones not asked for the
/// longest are closed.
package final class SampleReader: Sendable {
    private struct State {
        var rows: [Digest: CatalogueRow] = [:]
        var shards: [Digest: OpenShard] = [:]
        /// Counts uses, so that the shard not used the longest is known.
        var clock = 0
    }

    /// Fewer where the system allows this process few files.
    private static let openShards = max(4, min(64, (OpenFiles.limit - 48) / 2))
    private let corpus: Corpus
    private let state = Mutex(State())

    package init(_ corpus: Corpus) {
        self.corpus = corpus
    }

    /// The catalogue's rows of some samples, in the order asked for.
    ///
    /// - Throws: ``CorpusError`` naming a sample that the corpus does not have.
    package func rows(_ ids: [Digest]) throws(CorpusError) -> [CatalogueRow] {
        let missing = state.withLock { state in Set(ids.filter { state.rows[$0] == nil }) }
        let found = try corpus.rows(Array(missing))
        return try state.withLock { state throws(CorpusError) in
            state.rows.merge(found) { $1 }
            return try ids.map { id throws(CorpusError) in
                guard let row = state.rows[id] else {
                    throw CorpusError(
                        .notFound, id.hex, "the selection names this sample and the corpus lacks it: restore its shard")
                }
                return row
            }
        }
    }

    /// The PNG files of some samples, in the order asked for; each shard is asked once.
    package func images(_ rows: [CatalogueRow]) throws(CorpusError) -> [[UInt8]] {
        try following(rows) { (rows) throws(CorpusError) in
            var images = [[UInt8]](repeating: [], count: rows.count)
            for (place, members) in Dictionary(grouping: rows.indices, by: { rows[$0].shard }) {
                let found = try shard(place).reader.images(members.map { rows[$0].row })
                for (member, image) in zip(members, found) { images[member] = image }
            }
            return images
        }
    }

    /// Complete samples, as they were written, in the order asked for.
    package func records(_ rows: [CatalogueRow]) throws(CorpusError) -> [SampleRecord] {
        try following(rows) { (rows) throws(CorpusError) in
            var records: [Int: SampleRecord] = [:]
            for (place, members) in Dictionary(grouping: rows.indices, by: { rows[$0].shard }) {
                let found = try shard(place).reader.records(members.map { rows[$0].row })
                for (member, record) in zip(members, found) { records[member] = record }
            }
            return rows.indices.compactMap { records[$0] }
        }
    }

    /// The rows as the catalogue has them now; their shards are opened again.
    func lookedUpAgain(_ rows: [CatalogueRow]) throws(CorpusError) -> [CatalogueRow] {
        try corpus.catchUp()
        state.withLock { state in
            for row in rows { (state.rows[row.id], state.shards[row.shard]) = (nil, nil) }
        }
        return try self.rows(rows.map(\.id))
    }

    /// The PNG file of a sample.
    package func image(_ row: CatalogueRow) throws(CorpusError) -> [UInt8] {
        try following([row]) { (rows) throws(CorpusError) in
            try shard(rows[0].shard).reader.images([rows[0].row])[0]
        }
    }

    /// The complete sample, as it was written.
    package func record(_ row: CatalogueRow) throws(CorpusError) -> SampleRecord {
        try following([row]) { (rows) throws(CorpusError) in try shard(rows[0].shard).reader.record(rows[0].row) }
    }

    /// The trace of a sample.
    package func trace(_ row: CatalogueRow) throws(CorpusError) -> (timesteps: [Int32], deltaSquared: [Float]) {
        try following([row]) { (rows) throws(CorpusError) in
            try shard(rows[0].shard).reader.traces(rows[0].row..<rows[0].row + 1)[0]
        }
    }

    func shard(_ digest: Digest) throws(CorpusError) -> OpenShard {
        let known = state.withLock { state in
            state.clock += 1
            state.shards[digest]?.used.store(state.clock, ordering: .relaxed)
            return state.shards[digest]
        }
        if let known { return known }
        let open = OpenShard(try corpus.open(digest))
        return state.withLock { state in
            // Another thread may have been faster.
            if let known = state.shards[digest] { return known }
            open.used.store(state.clock, ordering: .relaxed)
            state.shards[digest] = open
            if state.shards.count > Self.openShards {
                let oldest = state.shards.min {
                    $0.value.used.load(ordering: .relaxed) < $1.value.used.load(ordering: .relaxed)
                }
                if let oldest { state.shards[oldest.key] = nil }
            }
            return open
        }
    }
}

/// A shard that stays open, with its latents' indexes.
final class OpenShard: Sendable {
    let reader: ShardReader
    let used = Atomic(0)
    private let latents = Mutex<[[Int]: LatentReader]>([:])

    init(_ reader: ShardReader) { self.reader = reader }

    /// - Parameter shape: channels, height, width.
    func latents(_ shape: [Int]) throws(CorpusError) -> LatentReader {
        if let known = latents.withLock({ $0[shape] }) { return known }
        let opened = try reader.latents(shape)
        latents.withLock { $0[shape] = opened }
        return opened
    }
}
