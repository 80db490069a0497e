import Foundation
import HDF5

extension Corpus {
    /// Checks every byte: ``check(_:progress:)`` without options.
    ///
    /// - Returns: what is wrong, one entry an object; empty when all is well.
    package func verify() -> [Damage] { check().damage }

    /// Checks shards, selections, checkpoints and adapters against the digests that name them, samples against their
    /// manifests, names and logs against their check sums, and that nothing is missing which something else refers to.
    ///
    /// - Parameter progress: told how many bytes of how many have been read, on the caller's thread.
    package func check(
        _ options: VerifyOptions = VerifyOptions(), progress: (Int64, Int64) -> Void = { _, _ in }
    ) -> VerifyReport {
        var report = VerifyReport()
        var found: [Damage] = []
        let references = References(self) { found.append(Damage(.name, $0)) }
        let files = largeFiles(references, options)
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
            // A shard that `pack` has replaced meanwhile is neither here nor needed; so is a checkpoint that a run let go.
            if let damage, FileManager.default.fileExists(atPath: file.url.path) { found.append(damage) }
        }
        found += missingShards()
        if let error = damagedSettings() { found.append(Damage(.settings, error)) }
        report.selections = selectionDigests().count
        report.names = selectionNames().count
        report.runs = references.trails.count
        found += damagedNames(references) + damagedLogs(references)
        checkSelections(references, &found)
        report.damage = found
        report.notes = references.trails.filter { !$0.isFinished && $0.problem == nil }.map {
            "run \($0.name) is not finished: the same train command goes on with it"
        }
        return report
    }

    /// Shards, checkpoints and adapters, the largest first: many threads then end together.
    private func largeFiles(_ references: References, _ options: VerifyOptions) -> [LargeFile] {
        var files = shards().map { digest in
            LargeFile(.shard, ShardWriter.location(of: digest, in: shardsFolder), digest)
        }
        for trail in references.trails {
            for url in contents(of: trail.folder.appending(path: "checkpoints"), ending: ".safetensors") {
                files.append(LargeFile(.checkpoint, url, Digest(hex: url.deletingPathExtension().lastPathComponent)))
            }
            if let adapter = trail.adapter {
                for url in contents(of: trail.folder.appending(path: "adapter"), ending: ".safetensors") {
                    files.append(LargeFile(.adapter, url, adapter))
                }
            }
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
            // In this order: a shard that is taken in between is there.
            let known = try catalogue.shards()
            let gone = known.subtracting(shards()).sorted()
            var missing: [Damage] = []
            // Asked again, since `pack` replaces shards while this runs.
            let still = gone.isEmpty ? [] : try catalogue.shards()
            for digest in gone where still.contains(digest) {
                let place = ShardWriter.location(of: digest, in: shardsFolder)
                if FileManager.default.fileExists(atPath: place.path) { continue }
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
        for name in selectionNames() {
            guard let history = try? history(of: name) else { continue }
            let path = folder.appending(path: "refs/\(name).json").path
            if let bad = SelectionReference.firstBroken(history, name: name) {
                let error = CorpusError(
                    .damaged, path, "entry \(bad + 1) is not as it was written: restore the file from a copy")
                found.append(Damage(.name, error))
            }
            for digest in Set(history.map(\.digest)).sorted() where !hasSelection(digest) {
                var damage = Damage(
                    .name, CorpusError(.notFound, path, "its selection \(digest) is missing: restore it from a copy"),
                    digest: digest)
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
            for digest in trail.selections.sorted() where !hasSelection(digest) {
                let error = CorpusError(
                    .notFound, trail.folder.appending(path: "log.jsonl").path,
                    "the run's selection \(digest) is missing: restore it from a copy")
                found.append(Damage(.log, error, digest: digest))
            }
        }
        return found
    }

    /// Looks at every selection once: whether it is whole, whether the corpus has its samples, and which of the damage
    /// found so far it suffers from, which is noted there.
    private func checkSelections(_ references: References, _ found: inout [Damage]) {
        var holders: [Digest: Int] = [:]
        for index in found.indices where found[index].kind == .shard {
            found[index].samples = found[index].digest.flatMap { try? catalogue.samples(of: $0) } ?? []
            for sample in found[index].samples { holders[sample] = index }
        }
        for digest in selectionDigests() {
            do throws(CorpusError) {
                let selection = try selection(digest)
                let ids = selection.ids
                if case .combination(_, let operands) = selection.policy {
                    for operand in operands where !hasSelection(operand) {
                        let error = CorpusError(
                            .notFound, selectionURL(operand).path,
                            "the selection is missing, and \(digest) combines it: restore it from a copy")
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
                if error.code == .notFound, !hasSelection(digest) { continue }
                var damage = Damage(.selection, error, digest: digest)
                note(digest, references, in: &damage)
                found.append(damage)
            }
        }
        for url in contents(of: folder.appending(path: "selections"), ending: ".json")
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
    func selectionDigests() -> [Digest] {
        contents(of: folder.appending(path: "selections"), ending: ".json")
            .compactMap { Digest(hex: $0.deletingPathExtension().lastPathComponent) }.sorted()
    }

    /// A folder's files with an ending, by name.
    func contents(of folder: URL, ending: String) -> [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(ending) }.sorted().map { folder.appending(path: $0) }
    }
}
