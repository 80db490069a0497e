import Foundation

extension Corpus {
    /// Checks every byte: shards, selections and checkpoints against their names, samples against their manifests, names
    /// against the selections they stand for; and that nothing is missing which something else refers to.
    ///
    /// - Parameter progress: told how many shards of how many have been read.
    /// - Returns: what is damaged, one error a file; empty when all is well.
    package func verify(progress: (Int, Int) -> Void = { _, _ in }) -> [CorpusError] {
        let all = shards()
        var found: [CorpusError] = []
        for (index, digest) in all.enumerated() {
            do throws(CorpusError) { try verify(shard: digest) } catch { found.append(error) }
            progress(index + 1, all.count)
        }
        found += missingShards(Set(all))
        found += damagedSelections()
        found += damagedCheckpoints()
        return found
    }

    private func verify(shard digest: Digest) throws(CorpusError) {
        let file = try sealed(digest)
        if file.format == ScoreShard.format { _ = try ScoreShard(file) } else { try ShardReader(file).verify() }
    }

    private func missingShards(_ present: Set<Digest>) -> [CorpusError] {
        do throws(CorpusError) {
            return try catalogue.shards().subtracting(present).sorted().map { digest in
                let path = "shards/\(digest.hex.prefix(2))/\(digest).h5"
                return CorpusError(
                    .notFound, path, "the shard is missing: restore it from a copy, or forget it with `attune reindex`")
            }
        } catch {
            return [error]
        }
    }

    private func damagedSelections() -> [CorpusError] {
        var found: [CorpusError] = []
        for name in files(in: "selections", extension: "json") {
            let path = folder.appending(path: "selections/\(name).json").path
            guard let digest = Digest(hex: name) else {
                found.append(CorpusError(.damaged, path, "is not named by a SHA-256: remove it"))
                continue
            }
            do throws(CorpusError) {
                let missing = try missingSamples(selection(digest).ids)
                if let first = missing.first {
                    found.append(
                        CorpusError(
                            .notFound, path,
                            "the corpus lacks \(missing.count) of its samples, such as \(first): restore their shards"))
                }
            } catch {
                found.append(error)
            }
        }
        for name in selectionNames() {
            do throws(CorpusError) {
                for entry in try history(of: name) where !hasSelection(entry.digest) {
                    found.append(
                        CorpusError(
                            .notFound, folder.appending(path: "refs/\(name).json").path,
                            "its selection \(entry.digest) is missing: restore it from a copy"))
                }
            } catch {
                found.append(error)
            }
        }
        return found
    }

    private func missingSamples(_ ids: [Digest]) throws(CorpusError) -> [Digest] {
        let known = try catalogue.known(ids)
        return ids.filter { !known.contains($0) }
    }

    /// Checkpoints are named by their bytes as everything else is; what is in them is no business of the store.
    private func damagedCheckpoints() -> [CorpusError] {
        var found: [CorpusError] = []
        let runs = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "runs").path)) ?? []
        for run in runs.sorted() {
            for name in files(in: "runs/\(run)/checkpoints", extension: "safetensors") {
                let url = folder.appending(path: "runs/\(run)/checkpoints/\(name).safetensors")
                let bytes = try? Data(contentsOf: url, options: .alwaysMapped)
                if bytes.map({ Digest(of: $0).hex }) != name {
                    found.append(
                        CorpusError(
                            .damaged, url.path,
                            "the checkpoint's bytes do not match its name: the run goes on from an earlier one"))
                }
            }
        }
        return found
    }

    /// The names of a folder's files with an extension, without it, sorted.
    private func files(in place: String, extension suffix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: place).path)) ?? []
        return names.filter { $0.hasSuffix("." + suffix) }.map { String($0.dropLast(suffix.count + 1)) }.sorted()
    }
}
