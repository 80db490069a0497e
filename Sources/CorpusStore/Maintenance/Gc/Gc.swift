import DiskAccess
import Foundation
import HDF5

extension Corpus {
    /// Removes what nothing refers to (`LiveSet` says what that is). Others may read, write and train meanwhile.
    ///
    /// Nothing is removed where a folder cannot be listed, or a shard, name or log cannot be read: what it holds or refers
    /// to is not known.
    @discardableResult
    package func gc(
        _ options: GcOptions = GcOptions(), progress: (Int, Int) -> Void = { _, _ in }
    ) throws(CorpusError) -> GcReport {
        try maintained { () throws(CorpusError) in
            // Looked at before anything is asked: what others make from here on is none of this gc's business.
            let begin = options.isTrial ? Date() : try fileSystemTime()
            let problems = try catchUp()
            try requireReadable(problems)
            if options.keep != nil, let problem = problems.first { throw problem }
            var report = GcReport()
            try collectShards(options, begin, &report, progress)
            try collectSelections(options, begin, &report)
            try collectRest(try LiveSet(of: self, options, begin: begin), options, &report)
            return report
        }
    }

    /// The time by the clock that gives files their times: on a shared file system, that is not this host's.
    func fileSystemTime() throws(CorpusError) -> Date {
        let file = try files.temporaryFile()
        let changed = try reported { () throws(DiskError) in try file.file.status().changed }
        return withExtendedLifetime(file) { Date(timeIntervalSince1970: Double(changed) / 1e9) }
    }

    /// Drops dead samples, and then the scores of samples that are not here any more: their shards are written again
    /// without them, or go.
    private func collectShards(
        _ options: GcOptions, _ begin: Date, _ report: inout GcReport, _ progress: (Int, Int) -> Void
    ) throws(CorpusError) {
        for (old, new) in try redundantShards() {
            report.shards.append(old)
            report.bytes += try size(ShardWriter.location(of: old, in: shardsFolder))
            if !options.isTrial { try replace([old], with: [new]) }
        }
        guard let keep = options.keep else { return }
        // Only shards that the conditions were asked about.
        let all = try catalogue.shards().subtracting(report.shards).sorted()
        var kept: Set<Digest> = []
        for condition in keep { kept.formUnion(try ids(CatalogueQuery(condition: condition))) }
        if !all.isEmpty { progress(0, all.count) }
        // What is dropped from one shard may be in another that stays.
        let doubles = try catalogue.inventory().filter { $0.rows < $0.samples }.map(\.digest)
        var scores: [Digest] = []
        for start in stride(from: 0, to: all.count, by: Self.shardsAtOnce) {
            let part = all[start..<min(start + Self.shardsAtOnce, all.count)]
            // A selection that is made from here on asks whether its samples are still there.
            try referring { () throws(CorpusError) in
                let live = try LiveSet(of: self, options, begin: begin)
                for digest in part {
                    let place = ShardWriter.location(of: digest, in: shardsFolder)
                    if try live.isYoung(place, of: self) { continue }
                    switch try SealedContents(sealedAsKnown(digest)) {
                    // Small, and the later revisions stand on the earlier ones.
                    case .annotations: continue
                    case .scores, .vectors: scores.append(digest)
                    case .samples(let shard):
                        let dead = Set(shard.ids.filter { !kept.contains($0) && !live.samples.contains($0) })
                        report.samples += dead.sorted()
                        try drop(dead, of: digest, doubles, options, &report)
                    }
                }
            }
            progress(start + part.count, all.count)
        }
        let gone = Set(report.samples)
        for digest in scores {
            let samples: [Digest]
            switch try SealedContents(sealedAsKnown(digest)) {
            case .scores(let shard): samples = shard.records.map(\.sample)
            case .vectors(let shard): samples = shard.samples
            case .annotations, .samples: continue
            }
            let present = try catalogue.known(samples).subtracting(options.isTrial ? gone : [])
            try drop(Set(samples).subtracting(present), of: digest, [], options, &report)
        }
    }

    /// Shards that are looked at while nobody can make a selection.
    private static var shardsAtOnce: Int { 16 }

    /// Drops some samples, or their scores, of a shard.
    ///
    /// - Parameter doubles: shards that may hold some of them too.
    private func drop(
        _ dead: Set<Digest>, of digest: Digest, _ doubles: [Digest], _ options: GcOptions, _ report: inout GcReport
    ) throws(CorpusError) {
        guard !dead.isEmpty else { return }
        report.shards.append(digest)
        report.bytes += try size(ShardWriter.location(of: digest, in: shardsFolder))
        guard !options.isTrial else { return }
        let new = try rewrite(self.sealed(digest), without: dead)
        if let new { report.bytes -= try size(ShardWriter.location(of: new, in: shardsFolder)) }
        try replace([digest], with: new.map { [$0] } ?? [], doubles: doubles)
    }

    /// A shard with the samples that stay, in their order; nil where none does.
    private func rewrite(_ file: SealedFile, without dead: Set<Digest>) throws(CorpusError) -> Digest? {
        switch try SealedContents(file) {
        case .annotations: return file.digest
        case .scores(let shard):
            let records = shard.records.filter { !dead.contains($0.sample) }
            return records.isEmpty ? nil : try seal(records, by: shard.scorer)
        case .vectors(let shard): return try rewrite(shard, without: dead)
        case .samples(let shard):
            let rows = shard.ids.indices.filter { !dead.contains(shard.ids[$0]) }
            return rows.isEmpty ? nil : try seal(shard.records(rows), ids: rows.map { shard.ids[$0] })
        }
    }

    private func collectSelections(
        _ options: GcOptions, _ begin: Date, _ report: inout GcReport
    ) throws(CorpusError) {
        try referring { () throws(CorpusError) in
            let live = try LiveSet(of: self, options, begin: begin)
            for digest in try selectionDigests() where !live.selections.contains(digest) {
                report.selections.append(digest)
                report.bytes += try size(selectionURL(digest))
                if !options.isTrial { try files.remove(selectionURL(digest)) }
            }
        }
    }

    /// Unfinished writes, and notes that no catalogue needs any more.
    private func collectRest(
        _ live: LiveSet, _ options: GcOptions, _ report: inout GcReport
    ) throws(CorpusError) {
        for url in try contents(of: files.temporaryFolder, ending: "") {
            let status = try reported { () throws(DiskError) in try Disk.status(url.path) }
            guard let status, status.st_mode & S_IFMT == S_IFREG else { continue }
            let owner = try AtomicFiles.owner(of: url, isShared: isShared)
            guard owner != .alive else { continue }
            if owner == .unknown, try live.isYoung(url, of: self) { continue }
            report.unfinished += 1
            report.bytes += Int64(status.st_size)
            if !options.isTrial { try reported { () throws(DiskError) in try Disk.remove(url.path) } }
        }
        // A catalogue that was not opened for a year needs `reindex`.
        let yearAgo = Date(timeIntervalSinceNow: -365 * 86_400)
        for url in try contents(of: folder.appending(path: "retired"), ending: ".json") {
            guard let stamp = try stamp(url), Double(stamp.changed) / 1e9 < yearAgo.timeIntervalSince1970
            else { continue }
            report.notes += 1
            if !options.isTrial { try reported { () throws(DiskError) in try Disk.remove(url.path) } }
        }
    }

    private func size(_ url: URL) throws(CorpusError) -> Int64 { try stamp(url)?.size ?? 0 }
}
