import DiskAccess
import Foundation
import HDF5

extension Corpus {
    /// Indexes shards that the catalogue does not know. Only folders that have changed since are looked through.
    ///
    /// - Returns: what is wrong with shards that could not be indexed. They hide only their own samples: a corpus that
    ///   did not open because of them could not be verified either. Who decides by what the catalogue lacks asks
    ///   ``requireReadable(_:)`` about them.
    /// - Throws: ``CorpusError`` where the catalogue fails.
    @discardableResult
    package func catchUp() throws(CorpusError) -> [CorpusError] {
        let known = try catalogue.folders()
        var changed: [String: Int64] = [:]
        var unreadable: [CorpusError] = []
        for folder in foldersOfShards() {
            do throws(CorpusError) {
                let (prefix, time) = try folder.get()
                if known[prefix] != time { changed[prefix] = time }
            } catch { unreadable.append(error) }
        }
        guard !changed.isEmpty, !catalogue.isReadOnly else { return unreadable }
        let taken = try catalogue.shards()
        var present: Set<Digest> = []
        for prefix in changed.keys.sorted() {
            do throws(CorpusError) { present.formUnion(try shards(in: prefix)) } catch {
                // What cannot be listed hides its shards, and none of them counts as gone.
                changed[prefix] = nil
                unreadable.append(error)
            }
        }
        let fresh = present.subtracting(taken).sorted()
        do throws(CorpusError) { try revive(present) } catch { unreadable.append(error) }
        if taken.isEmpty, unreadable.isEmpty, fresh.count >= Self.fewShards { return try refill([:]) }
        var isSettled = unreadable.isEmpty
        try Lookahead.run(fresh, prepare([:])) { (_, shard) throws(CorpusError) in
            switch shard {
            case .success(let shard): try catalogue.add(shard)
            case .failure(let error):
                guard error.isOfOneFile else { throw error }
                isSettled = false
                // Another process has removed it since.
                if error.code != .notFound { unreadable.append(error) }
            }
        }
        // Another host's `pack` or `gc` may have replaced shards that this host's catalogue knows.
        let gone = taken.filter { changed[String($0.hex.prefix(2))] != nil && !present.contains($0) }
        do throws(CorpusError) { try followRetirements(of: gone) } catch {
            guard error.isOfOneFile, error.subject != catalogue.path else { throw error }
            isSettled = false
            unreadable.append(error)
        }
        // A folder with damage is looked at again each time. So is one that changed just now: it may do so again within
        // one tick of its clock, which on a shared file system is the server's.
        // One that may not be written to does not tell its time: it is later than the latest change.
        let latest = Date(timeIntervalSince1970: Double(changed.values.max() ?? 0) / 1e9)
        let now = isShared ? (try? fileSystemTime()) ?? latest : Date()
        let settled = Int64(now.timeIntervalSince1970 - 10) * 1_000_000_000
        if isSettled { try catalogue.remember(folders: changed.filter { $0.value < settled }) }
        return unreadable
    }

    /// Folders of shards with the time of their last change, and what is wrong with those that cannot be looked at.
    private func foldersOfShards() -> [Result<(prefix: String, changed: Int64), CorpusError>] {
        do throws(CorpusError) {
            if isShared { Disk.refresh(shardsFolder.path) }
            return try shardFolders().compactMap { prefix in
                do throws(CorpusError) {
                    let folder = shardsFolder.appending(path: prefix)
                    if isShared { Disk.refresh(folder.path) }
                    return try stamp(folder).map { .success((prefix, $0.changed)) }
                } catch { return .failure(error) }
            }
        } catch { return [.failure(error)] }
    }

    /// Whether the catalogue knows all shards that are there, and no others.
    func isCatalogued() throws(CorpusError) -> Bool {
        let seen = try catalogue.folders()
        var changed: Set<String> = []
        var present: Set<Digest> = []
        for folder in foldersOfShards() {
            // What cannot be looked at may hold anything.
            guard case .success(let (prefix, time)) = folder else { return false }
            guard seen[prefix] != time else { continue }
            changed.insert(prefix)
            do throws(CorpusError) { present.formUnion(try shards(in: prefix)) } catch { return false }
        }
        if changed.isEmpty { return true }
        return try catalogue.shards().filter { changed.contains(String($0.hex.prefix(2))) } == present
    }

    /// From so many on, filling an empty catalogue at once is faster than adding to it.
    private static var fewShards: Int { 8 }

    /// Fills the catalogue again from all shards.
    ///
    /// - Parameter stamps: of files whose bytes have been hashed.
    /// - Returns: what is wrong with shards that could not be indexed.
    func refill(
        _ stamps: [Digest: FileStamp], progress: (Int, Int) -> Void = { _, _ in }
    ) throws(CorpusError) -> [CorpusError] {
        var unreadable: [CorpusError] = []
        try catalogue.rebuild(scoring: scoring) { filling in
            // Looked up within the transaction: what others add to the catalogue before it is there to be seen.
            let all = try shards()
            try Lookahead.run(all, prepare(stamps)) { (done, shard) throws(any Error) in
                switch shard {
                case .success(let shard): try filling.add(shard)
                case .failure(let error):
                    guard error.isOfOneFile else { throw error }
                    if error.code != .notFound { unreadable.append(error) }
                }
                progress(done, all.count)
            }
        }
        return unreadable
    }

    /// - Throws: the first problem that says nothing about a shard's bytes, such as missing permission: what is decided
    ///   by the catalogue would then be decided without samples that are there.
    package func requireReadable(_ problems: [CorpusError]) throws(CorpusError) {
        let hidden = problems.filter { $0.code == .io }
        guard let first = hidden.first else { return }
        let others = hidden.count > 1 ? ", and \(hidden.count - 1) more cannot be read" : ""
        throw CorpusError(
            .io, first.subject,
            "\(first.message)\(others); which samples that hides is not known: make it readable, or see `attune verify`"
        )
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
