import DiskAccess
import Foundation
import HDF5

extension Corpus {
    /// Checks every byte: ``check(_:progress:)`` without options.
    ///
    /// - Returns: what is wrong, one entry an object; empty when all is well.
    package func verify() -> [Damage] { check().damage }

    /// Checks shards, selections, checkpoints and adapters against the digests that name them, samples against their
    /// manifests, names and logs against their checksums, and that nothing is missing which something else refers to.
    ///
    /// - Parameters:
    ///   - options: how much of the large files is read.
    ///   - progress: told how many bytes of how many have been read, on the caller's thread.
    package func check(
        _ options: VerifyOptions = VerifyOptions(), progress: (Int64, Int64) -> Void = { _, _ in }
    ) -> VerifyReport {
        var report = VerifyReport()
        var found: [Damage] = []
        let references = References(self)
        found += references.problems.map { Damage(.name, $0) }
        let files = largeFiles(references, options, &found)
        let total = files.reduce(0) { $0 + $1.size }
        if total > 0 { progress(0, total) }
        let check: @Sendable (LargeFile) -> Damage? = { $0.damage(in: self) }
        Lookahead.run(files, check) { done, damage in
            let file = files[done - 1]
            report.bytes += file.size
            switch file.kind {
            case .shard: report.shards += 1
            case .adapter: report.adapters += 1
            default: report.checkpoints += 1
            }
            progress(report.bytes, total)
            // A shard that `pack` has replaced meanwhile is neither here nor needed; so is a checkpoint that a run let
            // go.
            if let damage, !Disk.isSurelyAbsent(file.url.path) { found.append(damage) }
        }
        found += missingShards()
        let selections = storedSelections(&found)
        if let error = damagedSettings() { found.append(Damage(.settings, error)) }
        report.selections = selections.count
        report.names = references.nameCount
        report.runs = references.trails.count
        found += damagedNames(references) + damagedLogs(references)
        checkSelections(selections, references, &found)
        report.damage = found
        report.notes = references.trails.filter { !$0.isFinished && $0.problem == nil }.map {
            "run \($0.name) is not finished: the same train command resumes it"
        }
        return report
    }

    /// Shards, checkpoints and adapters, the largest first: many threads then end together.
    ///
    /// - Parameter found: what could not be listed, which is damage: nobody knows what is there.
    private func largeFiles(
        _ references: References, _ options: VerifyOptions, _ found: inout [Damage]
    ) -> [LargeFile] {
        var files: [LargeFile] = []
        func add(
            _ kind: Damage.Kind, _ list: () throws(CorpusError) -> [URL], _ digest: (URL) -> Digest?
        ) {
            do throws(CorpusError) {
                for url in try list() {
                    do throws(CorpusError) {
                        files.append(try LargeFile(kind, url, digest(url), in: self))
                    } catch { found.append(Damage(kind, error, digest: digest(url))) }
                }
            } catch { found.append(Damage(kind, error)) }
        }
        func named(_ url: URL) -> Digest? { Digest(hex: url.deletingPathExtension().lastPathComponent) }
        var folders: [String] = []
        do throws(CorpusError) { folders = try shardFolders() } catch { found.append(Damage(.shard, error)) }
        for prefix in folders {
            add(
                .shard,
                { () throws(CorpusError) in
                    try shards(in: prefix).map { ShardWriter.location(of: $0, in: shardsFolder) }
                }, named)
        }
        for trail in references.trails {
            add(
                .checkpoint,
                { () throws(CorpusError) in
                    try contents(of: trail.folder.appending(path: "checkpoints"), ending: ".safetensors")
                }, named)
            guard let adapter = trail.adapter else { continue }
            add(
                .adapter,
                { () throws(CorpusError) in
                    try contents(of: trail.folder.appending(path: "adapter"), ending: ".safetensors")
                }, { _ in adapter })
        }
        if let since = options.since { files = files.filter { $0.changed >= since } }
        if options.share < 1 {
            let count = Int((Double(files.count) * max(options.share, 0)).rounded(.up))
            files = Array(files.shuffled().prefix(count))
        }
        return files.sorted { ($0.size, $0.url.path) > ($1.size, $1.url.path) }
    }

    private func missingShards() -> [Damage] {
        do throws(CorpusError) {
            // In this order: a shard that is added meanwhile is there.
            let known = try catalogue.shards()
            var present: Set<Digest> = []
            // A folder that cannot be listed was named above.
            for prefix in (try? shardFolders()) ?? [] { present.formUnion((try? shards(in: prefix)) ?? []) }
            let gone = known.subtracting(present).sorted()
            var missing: [Damage] = []
            // Asked again, since `pack` replaces shards while this runs.
            let still = gone.isEmpty ? [] : try catalogue.shards()
            for digest in gone where still.contains(digest) {
                let place = ShardWriter.location(of: digest, in: shardsFolder)
                guard Disk.isSurelyAbsent(place.path) else { continue }
                let error = CorpusError(
                    .notFound, place.path,
                    "the shard is missing: restore it with `attune verify --repair --from` a copy, or forget it with "
                        + "`attune reindex`")
                missing.append(Damage(.shard, error, digest: digest))
            }
            return missing
        } catch {
            return [Damage(.catalogue, error)]
        }
    }

    private func damagedNames(_ references: References) -> [Damage] {
        var found: [Damage] = []
        for (name, history) in references.histories.sorted(by: { $0.key < $1.key }) {
            let path = folder.appending(path: "refs/\(name).json").path
            if let bad = SelectionReference.firstBroken(history, name: name) {
                let error = CorpusError(
                    .damaged, path, "entry \(bad + 1) is not as it was written: restore the file from a copy")
                found.append(Damage(.name, error))
            }
            for digest in Set(history.map(\.digest)).sorted() {
                let missing = CorpusError(
                    .notFound, path, "its selection \(digest) is missing: restore it from a copy")
                guard let error = absence(of: digest, missing) else { continue }
                var damage = Damage(.name, error, digest: digest)
                damage.runs = references.runs[digest] ?? []
                found.append(damage)
            }
        }
        return found
    }

    private func damagedLogs(_ references: References) -> [Damage] {
        var found: [Damage] = []
        for trail in references.trails {
            if let problem = trail.problem { found.append(Damage(.log, problem)) }
            for digest in trail.selections.sorted() {
                let missing = CorpusError(
                    .notFound, trail.folder.appending(path: "log.jsonl").path,
                    "the run's selection \(digest) is missing: restore it from a copy")
                guard let error = absence(of: digest, missing) else { continue }
                found.append(Damage(.log, error, digest: digest))
            }
        }
        return found
    }

    /// What is wrong where a selection is not there, or cannot be looked at; nil where it is there.
    private func absence(of selection: Digest, _ missing: CorpusError) -> CorpusError? {
        do throws(CorpusError) { return try hasSelection(selection) ? nil : missing } catch { return error }
    }

    private func storedSelections(_ found: inout [Damage]) -> [Digest] {
        do throws(CorpusError) { return try selectionDigests() } catch {
            found.append(Damage(.selection, error))
            return []
        }
    }

    /// Looks at every selection once: whether it is intact, whether the corpus has its samples, and which of the damage
    /// found so far it suffers from, which is noted there.
    private func checkSelections(_ selections: [Digest], _ references: References, _ found: inout [Damage]) {
        var holders: [Digest: Int] = [:]
        for index in found.indices where found[index].kind == .shard {
            // What a catalogue says that cannot be read is not needed to see the damage.
            found[index].samples = found[index].digest.flatMap { try? catalogue.samples(of: $0) } ?? []
            for sample in found[index].samples { holders[sample] = index }
        }
        for digest in selections {
            do throws(CorpusError) {
                let selection = try selection(digest)
                let ids = selection.ids
                if case .combination(_, let operands) = selection.policy {
                    for operand in operands {
                        let missing = CorpusError(
                            .notFound, selectionURL(operand).path,
                            "the selection is missing, and \(digest) combines it: restore it from a copy")
                        guard let error = absence(of: operand, missing) else { continue }
                        var damage = Damage(.selection, error, digest: operand)
                        note(digest, references, in: &damage)
                        found.append(damage)
                    }
                }
                for index in Set(ids.compactMap { holders[$0] }) { note(digest, references, in: &found[index]) }
                let known = try catalogue.known(ids)
                let missing = ids.filter { !known.contains($0) }
                guard let first = missing.first else { continue }
                let error = CorpusError(
                    .notFound, selectionURL(digest).path,
                    "the corpus lacks \(missing.count) of its samples, such as \(first): restore their shards")
                var damage = Damage(.selection, error, digest: digest)
                damage.samples = missing
                note(digest, references, in: &damage)
                found.append(damage)
            } catch {
                // One that `gc` has collected meanwhile; where something needs it, that was said above.
                if error.code == .notFound, Disk.isSurelyAbsent(selectionURL(digest).path) { continue }
                var damage = Damage(.selection, error, digest: digest)
                note(digest, references, in: &damage)
                found.append(damage)
            }
        }
        // A folder that cannot be listed was named above.
        for url in (try? contents(of: folder.appending(path: "selections"), ending: ".json")) ?? []
        where Digest(hex: url.deletingPathExtension().lastPathComponent) == nil {
            found.append(
                Damage(.selection, CorpusError(.damaged, url.path, "is not named by a SHA-256: remove it")))
        }
    }

    /// Notes that a selection, and what uses it, suffers from damage.
    private func note(_ selection: Digest, _ references: References, in damage: inout Damage) {
        for title in references.titles(of: selection) where !damage.selections.contains(title) {
            damage.selections.append(title)
        }
        for run in references.runs[selection] ?? [] where !damage.runs.contains(run) { damage.runs.append(run) }
    }

    /// The selections that there are documents of, sorted.
    func selectionDigests() throws(CorpusError) -> [Digest] {
        try contents(of: folder.appending(path: "selections"), ending: ".json")
            .compactMap { Digest(hex: $0.deletingPathExtension().lastPathComponent) }.sorted()
    }
}
