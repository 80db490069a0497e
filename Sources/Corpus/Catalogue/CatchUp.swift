import Foundation
import HDF5

extension Corpus {
    /// Takes in shards that the catalogue does not know. Only folders that have changed since are looked through.
    ///
    /// - Returns: what is wrong with shards that could not be taken in. They hide only their own samples: a corpus that
    ///   did not open because of them could not be verified either.
    @discardableResult
    package func catchUp() throws(CorpusError) -> [CorpusError] {
        let changed = try changedFolders()
        guard !changed.isEmpty, !catalogue.isReadOnly else { return [] }
        let taken = try catalogue.shards()
        let present = Set(changed.keys.flatMap { shards(in: $0) })
        let fresh = present.subtracting(taken).sorted()
        if taken.isEmpty, fresh.count >= Self.fewShards { return try refill([:]) }
        var unreadable: [CorpusError] = []
        try Lookahead.run(fresh, prepare([:])) { (_, shard) throws(CorpusError) in
            do throws(CorpusError) { try catalogue.add(shard.get()) } catch {
                guard error.code == .damaged || error.code == .notFound else { throw error }
                unreadable.append(error)
            }
        }
        // Another host's `pack` or `gc` may have replaced shards that this host's catalogue knows.
        let gone = taken.filter { changed[String($0.hex.prefix(2))] != nil && !present.contains($0) }
        do throws(CorpusError) { try followRetirements(of: gone) } catch {
            guard error.code == .damaged || error.code == .notFound else { throw error }
            unreadable.append(error)
        }
        // A folder with damage is looked at again each time. So is one that changed just now: it may do so again within
        // one tick of its clock.
        let settled = Int64(Date().timeIntervalSince1970 - 10) * 1_000_000_000
        if unreadable.isEmpty { try catalogue.remember(folders: changed.filter { $0.value < settled }) }
        return unreadable
    }

    /// Folders of shards that have changed since they were looked through, with the time of their last change.
    private func changedFolders() throws(CorpusError) -> [String: Int64] {
        let known = try catalogue.folders()
        var changed: [String: Int64] = [:]
        for prefix in shardFolders() {
            guard let stamp = FileStamp(path: shardsFolder.appending(path: prefix).path) else { continue }
            if known[prefix] != stamp.changed { changed[prefix] = stamp.changed }
        }
        return changed
    }

    /// Whether the catalogue knows all shards that are there, and no others.
    func isCatalogued() throws(CorpusError) -> Bool {
        let changed = try changedFolders()
        guard !changed.isEmpty else { return true }
        let known = try catalogue.shards().filter { changed[String($0.hex.prefix(2))] != nil }
        return known == Set(changed.keys.flatMap { shards(in: $0) })
    }

    /// From so many on, filling an empty catalogue at once is faster than adding to it.
    private static var fewShards: Int { 8 }

    /// Fills the catalogue again from all shards.
    ///
    /// - Parameter stamps: of files whose bytes have been hashed.
    /// - Returns: what is wrong with shards that could not be taken in.
    func refill(
        _ stamps: [Digest: FileStamp], progress: (Int, Int) -> Void = { _, _ in }
    ) throws(CorpusError) -> [CorpusError] {
        var unreadable: [CorpusError] = []
        try catalogue.rebuild(scoring: scoring) { filling in
            // Looked up within the transaction: what others add to the catalogue before it is there to be seen.
            let all = shards()
            try Lookahead.run(all, prepare(stamps)) { (done, shard) throws(any Error) in
                switch shard {
                case .success(let shard): try filling.add(shard)
                case .failure(let error):
                    guard error.code == .damaged || error.code == .notFound else { throw error }
                    unreadable.append(error)
                }
                progress(done, all.count)
            }
        }
        return unreadable
    }

    /// Fills the catalogue with rows that no shard is behind, to measure it at sizes whose shards no disk here holds.
    package func fillCatalogue(shards: Int, _ make: @escaping @Sendable (Int) -> PreparedSamples) throws(CorpusError) {
        try catalogue.rebuild(scoring: scoring) { filling in
            try Lookahead.run(Array(0..<shards), make) { (_, samples) throws(any Error) in
                try filling.add(.samples(samples))
            }
        }
    }

    private func prepare(
        _ stamps: [Digest: FileStamp]
    ) -> @Sendable (Digest) -> Result<PreparedShard, CorpusError> {
        { digest in
            Result { () throws(CorpusError) in
                try PreparedShard(sealed(digest, known: stamps[digest]), scoring: scoring)
            }
        }
    }
}
