import Synchronization

/// Reads stored samples by id, from any number of threads. Shards stay open between calls, since opening one checks all
/// of its bytes; the ones not asked for the longest are closed.
package final class SampleReader: Sendable {
    private struct State {
        var rows: [String: CatalogueRow] = [:]
        var shards: [String: OpenShard] = [:]
        /// Digests of open shards, the one used last at the end.
        var recent: [String] = []
    }

    private final class OpenShard: Sendable {
        let reader: ShardReader

        init(_ reader: consuming ShardReader) { self.reader = reader }
    }

    private static let openShards = 64
    private let corpus: Corpus
    private let state = Mutex(State())

    package init(_ corpus: Corpus) {
        self.corpus = corpus
    }

    /// The catalogue's rows of some samples, in the order asked for.
    ///
    /// - Throws: ``CorpusError`` naming a sample that the corpus does not have.
    package func rows(_ ids: [String]) throws(CorpusError) -> [CatalogueRow] {
        let known = state.withLock { $0.rows }
        let missing = Set(ids.filter { known[$0] == nil }).compactMap { Digest(hex: $0) }.sorted()
        var found = known
        for row in try corpus.rows(missing) { found[row.id] = row }
        let everything = found
        state.withLock { $0.rows.merge(everything) { old, _ in old } }
        var rows: [CatalogueRow] = []
        for id in ids {
            guard let row = everything[id] else {
                throw CorpusError(
                    .notFound, id, "the selection names this sample and the corpus lacks it: restore its shard")
            }
            rows.append(row)
        }
        return rows
    }

    /// The latents of some samples, channels first, in the order asked for.
    package func latents(_ rows: [CatalogueRow]) throws(CorpusError) -> [[Float]] {
        var latents = [[Float]](repeating: [], count: rows.count)
        let groups = Dictionary(grouping: rows.indices) { Place(shard: rows[$0].shard, shape: rows[$0].latentShape) }
        for (place, members) in groups {
            let values = try shard(place.shard).reader.latents(members.map { rows[$0].row }, shape: place.shape)
            for (member, value) in zip(members, values) { latents[member] = value }
        }
        return latents
    }

    private struct Place: Hashable {
        let shard: String
        let shape: [Int]
    }

    /// The PNG file of a sample.
    package func image(_ row: CatalogueRow) throws(CorpusError) -> [UInt8] {
        try shard(row.shard).reader.images([row.row])[0]
    }

    /// The sample whole, as it was written.
    package func record(_ row: CatalogueRow) throws(CorpusError) -> SampleRecord {
        try shard(row.shard).reader.record(row.row)
    }

    /// The trace of a sample.
    package func trace(_ row: CatalogueRow) throws(CorpusError) -> (timesteps: [Int32], deltaSquared: [Float]) {
        let traces = try shard(row.shard).reader.traces()
        guard traces.indices.contains(row.row) else {
            throw CorpusError(.damaged, row.shard, "the shard lacks row \(row.row): run `attune reindex`")
        }
        return traces[row.row]
    }

    private func shard(_ hex: String) throws(CorpusError) -> OpenShard {
        if let open = state.withLock({ state in
            state.recent.removeAll { $0 == hex }
            state.recent.append(hex)
            return state.shards[hex]
        }) {
            return open
        }
        guard let digest = Digest(hex: hex) else {
            throw CorpusError(.damaged, hex, "is not the digest of a shard: run `attune reindex`")
        }
        let open = OpenShard(try corpus.open(digest))
        state.withLock { state in
            state.shards[hex] = open
            while state.recent.count > Self.openShards { state.shards[state.recent.removeFirst()] = nil }
        }
        return open
    }
}
