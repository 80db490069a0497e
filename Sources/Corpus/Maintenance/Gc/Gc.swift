import Foundation
import HDF5

extension Corpus {
    /// Removes what nothing refers to (``LiveSet`` says what that is). Others may read, write and train meanwhile.
    ///
    /// Nothing is removed where a name or a log cannot be read: what it refers to is not known.
    @discardableResult
    package func gc(
        _ options: GcOptions = GcOptions(), progress: (Int, Int) -> Void = { _, _ in }
    ) throws(CorpusError) -> GcReport {
        try maintained { () throws(CorpusError) in
            try catchUp()
            var report = GcReport()
            try collectShards(options, &report, progress)
            try collectSelections(options, &report)
            collectRest(try LiveSet(of: self, options), options, &report)
            return report
        }
    }

    /// Drops dead samples: their shards are written again without them, or go.
    private func collectShards(
        _ options: GcOptions, _ report: inout GcReport, _ progress: (Int, Int) -> Void
    ) throws(CorpusError) {
        for (old, new) in try redundantShards() {
            report.shards.append(old)
            report.bytes += size(ShardWriter.location(of: old, in: shardsFolder))
            if !options.isTrial { try replace([old], with: [new]) }
        }
        guard let keep = options.keep else { return }
        let condition = keep.map { "(\($0))" }.joined(separator: " OR ")
        let kept = keep.isEmpty ? [] : Set(try ids(CatalogueQuery(condition: condition)))
        let all = shards()
        if !all.isEmpty { progress(0, all.count) }
        for start in stride(from: 0, to: all.count, by: Self.shardsAtOnce) {
            let part = all[start..<min(start + Self.shardsAtOnce, all.count)]
            // A selection that is made from here on asks whether its samples are still there.
            try referring { () throws(CorpusError) in
                let live = try LiveSet(of: self, options)
                for digest in part where !report.shards.contains(digest) {
                    try collect(digest, live, kept, options, &report)
                }
            }
            progress(start + part.count, all.count)
        }
    }

    /// Shards that are looked at while nobody can make a selection.
    private static var shardsAtOnce: Int { 16 }

    private func collect(
        _ digest: Digest, _ live: LiveSet, _ kept: Set<Digest>, _ options: GcOptions, _ report: inout GcReport
    ) throws(CorpusError) {
        let place = ShardWriter.location(of: digest, in: shardsFolder)
        if live.isYoung(place) { return }
        let (ids, areSamples): ([Digest], Bool)
        switch try SealedContents(sealedAsKnown(digest)) {
        // Small, and the later revisions stand on the earlier ones.
        case .annotations: return
        case .scores(let shard): (ids, areSamples) = (shard.records.map(\.sample), false)
        case .samples(let shard): (ids, areSamples) = (shard.ids, true)
        }
        let dead = Set(ids.filter { !kept.contains($0) && !live.samples.contains($0) })
        guard !dead.isEmpty else { return }
        report.shards.append(digest)
        report.bytes += size(place)
        if areSamples { report.samples += dead.sorted() }
        guard !options.isTrial else { return }
        let new = try rewrite(self.sealed(digest), without: dead)
        report.bytes -= new.map { size(ShardWriter.location(of: $0, in: shardsFolder)) } ?? 0
        try replace([digest], with: new.map { [$0] } ?? [])
    }

    /// A shard with the samples that stay, in their order; nil where none does.
    private func rewrite(_ file: SealedFile, without dead: Set<Digest>) throws(CorpusError) -> Digest? {
        switch try SealedContents(file) {
        case .annotations: return file.digest
        case .scores(let shard):
            let records = shard.records.filter { !dead.contains($0.sample) }
            return records.isEmpty ? nil : try seal(records, by: shard.scorer)
        case .samples(let shard):
            let rows = shard.ids.indices.filter { !dead.contains(shard.ids[$0]) }
            return rows.isEmpty ? nil : try seal(shard.records(rows), ids: rows.map { shard.ids[$0] })
        }
    }

    private func collectSelections(_ options: GcOptions, _ report: inout GcReport) throws(CorpusError) {
        try referring { () throws(CorpusError) in
            let live = try LiveSet(of: self, options)
            for digest in selectionDigests() where !live.selections.contains(digest) {
                report.selections.append(digest)
                report.bytes += size(selectionURL(digest))
                if !options.isTrial { try files.remove(selectionURL(digest)) }
            }
        }
    }

    /// Unfinished writes, and notes that no catalogue needs any more.
    private func collectRest(_ live: LiveSet, _ options: GcOptions, _ report: inout GcReport) {
        for url in contents(of: files.temporaryFolder, ending: "") {
            let owner = AtomicFiles.owner(of: url.lastPathComponent)
            guard owner == .dead || (owner == .unknown && !live.isYoung(url)) else { continue }
            report.unfinished += 1
            report.bytes += size(url)
            if !options.isTrial { try? FileManager.default.removeItem(at: url) }
        }
        // A catalogue that was not opened for a year needs `reindex`.
        let yearAgo = Date(timeIntervalSinceNow: -365 * 86_400)
        for url in contents(of: folder.appending(path: "retired"), ending: ".json") {
            guard let stamp = FileStamp(path: url.path), Double(stamp.changed) / 1e9 < yearAgo.timeIntervalSince1970
            else { continue }
            report.notes += 1
            if !options.isTrial { unlink(url.path) }
        }
    }

    private func size(_ url: URL) -> Int64 { FileStamp(path: url.path)?.size ?? 0 }
}
