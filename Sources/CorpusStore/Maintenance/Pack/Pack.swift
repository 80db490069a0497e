import Foundation

/// What `pack` did, or would do.
package struct PackReport: Sendable {
    /// Shards that went, and those that hold their samples now.
    package var replaced = 0
    package var made: [Digest] = []
    /// Shards whose samples other shards hold as well, as a killed `pack` leaves them.
    package var redundant = 0
    /// Shards that were left alone, with the reason.
    package var skipped: [CorpusError] = []
}

extension Corpus {
    /// The size that `pack` aims at: 256 MiB.
    package static let packedSize = 256 << 20

    /// Merges loose shards into large ones. Every sample keeps its id, and what a shard had is read back from the new
    /// one and compared before the old one goes. Others may read, write and train meanwhile.
    ///
    /// - Parameters:
    ///   - target: bytes that a shard should have.
    ///   - isTrial: only count.
    ///   - progress: told how many groups of shards of how many are done.
    @discardableResult
    package func pack(
        target: Int = packedSize, isTrial: Bool = false, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(CorpusError) -> PackReport {
        try maintained { () throws(CorpusError) in
            // A folder that cannot be listed hides shards; one shard that cannot be read is left alone below.
            try catchUp()
            var report = PackReport()
            let extra = try redundantShards()
            report.redundant = extra.count
            if !isTrial { for (old, new) in extra { try replace([old], with: [new]) } }
            let items = try packable(except: Set(extra.map(\.old)), &report)
            let plan = PackPlan(items, target: target)
            if !plan.groups.isEmpty { progress(0, plan.groups.count) }
            for (index, group) in plan.groups.enumerated() {
                let whole = isTrial ? group.map(\.digest) : try merge(group, &report)
                if whole.count > 1 { report.replaced += whole.count }
                progress(index + 1, plan.groups.count)
            }
            return report
        }
    }

    /// One `pack`, `gc`, `reindex` or repair at a time.
    func maintained<R>(_ body: () throws(CorpusError) -> R) throws(CorpusError) -> R {
        try FileLock.hold(folder.appending(path: "refs/.maintenance"), body)
    }

    /// The weights of all shards that can be merged.
    private func packable(
        except: Set<Digest>, _ report: inout PackReport
    ) throws(CorpusError) -> [PackPlan.Item] {
        var items: [PackPlan.Item] = []
        for digest in try shards() where !except.contains(digest) {
            do throws(CorpusError) {
                switch try SealedContents(sealedAsKnown(digest)) {
                // A file of annotations is one revision: it stays as it is.
                case .annotations: continue
                // Sealed in large files from the start.
                case .vectors: continue
                case .scores(let shard):
                    items.append(
                        .init(digest: digest, weight: shard.weight, kind: Digest(of: shard.scorer.json.data).hex))
                case .samples(let shard):
                    try shard.requireKnownContents()
                    items.append(.init(digest: digest, weight: try shard.weight, kind: ""))
                }
            } catch {
                report.skipped.append(error)
            }
        }
        return items
    }

    /// Makes one shard of a group.
    ///
    /// - Returns: the shards that went into it. A damaged one stays where it is, for `verify` to name.
    private func merge(_ group: [PackPlan.Item], _ report: inout PackReport) throws(CorpusError) -> [Digest] {
        let made =
            group.first?.kind == "" ? try mergeSamples(group, &report) : try mergeScores(group, &report)
        guard let made else { return [] }
        try replace(made.parts, with: [made.whole])
        report.made.append(made.whole)
        return made.parts
    }

    /// A shard, and those whose contents it has; nil where fewer than two are intact.
    private typealias Merged = (whole: Digest, parts: [Digest])?

    private func mergeSamples(
        _ group: [PackPlan.Item], _ report: inout PackReport
    ) throws(CorpusError) -> Merged {
        var records: [Digest: SampleRecord] = [:]
        let parts = readEach(group, &report) { (file) throws(CorpusError) in
            let shard = try ShardReader(file)
            for (id, record) in zip(shard.ids, try shard.records(Array(shard.ids.indices))) { records[id] = record }
        }
        guard parts.count > 1 else { return nil }
        let sorted = records.sorted { SampleRecord.packedBefore($0, $1) }
        return (try seal(sorted.map(\.value), ids: sorted.map(\.key)), parts)
    }

    /// Reads the shards of a group, one open at a time: there may be thousands of them.
    ///
    /// - Returns: those that could be read.
    private func readEach(
        _ group: [PackPlan.Item], _ report: inout PackReport, _ body: (SealedFile) throws(CorpusError) -> Void
    ) -> [Digest] {
        var read: [Digest] = []
        for item in group {
            do throws(CorpusError) {
                // Hashed again: what is packed must not be damage.
                try body(sealed(item.digest))
                read.append(item.digest)
            } catch {
                report.skipped.append(error)
            }
        }
        return read
    }

    /// Seals records and reads them back from the disk.
    func seal(_ records: [SampleRecord], ids: [Digest]) throws(CorpusError) -> Digest {
        let digest = try sealing { () throws(CorpusError) in
            try ShardWriter.write(records, to: shardsFolder, files: files)
        }
        let shard = try ShardReader(sealed(digest))
        let read = try shard.records(Array(shard.ids.indices))
        guard shard.ids == ids, zip(read, records).allSatisfy({ $0.isSame(as: $1) }) else {
            throw CorpusError(
                .damaged, digest.hex, "the merged shard differs from what went into it; nothing was removed")
        }
        return digest
    }

    private func mergeScores(
        _ group: [PackPlan.Item], _ report: inout PackReport
    ) throws(CorpusError) -> Merged {
        var records: [Digest: ScoreRecord] = [:]
        var scorer: Scorer?
        let parts = readEach(group, &report) { (file) throws(CorpusError) in
            let shard = try ScoreShard(file)
            for record in shard.records { records[record.sample] = record }
            scorer = shard.scorer
        }
        guard parts.count > 1, let scorer else { return nil }
        return (try seal(records.sorted { $0.key < $1.key }.map(\.value), by: scorer), parts)
    }

    func seal(_ records: [ScoreRecord], by scorer: Scorer) throws(CorpusError) -> Digest {
        let digest = try sealing { () throws(CorpusError) in
            try ScoreShard.write(records, by: scorer, to: shardsFolder, files: files)
        }
        guard try ScoreShard(sealed(digest)).records.elementsEqual(records, by: { $0.isSame(as: $1) }) else {
            throw CorpusError(
                .damaged, digest.hex, "the merged shard differs from what went into it; nothing was removed")
        }
        return digest
    }
}
