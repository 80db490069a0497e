import Foundation
import Disk

/// A note that shards have been replaced, so that catalogues which still know them, on this host or another, find their
/// samples again. `retired/<sha256>.json`; written after the new shards and before the old ones go.
struct Retirement: Equatable {
    var shards: [Digest]
    /// What holds their samples now; what is in none of them has been dropped.
    var replacements: [Digest]

    var data: Data {
        CanonicalJSON.object([
            "format": .string("attune-retirement"), "version": .integer(1),
            "shards": .array(shards.map { .string($0.hex) }),
            "replacements": .array(replacements.map { .string($0.hex) }),
        ]).data
    }

    init(shards: [Digest], replacements: [Digest]) {
        (self.shards, self.replacements) = (shards.sorted(), replacements.sorted())
    }

    /// Nil for a document that cannot be read or does not match its name: its catalogues then need `reindex`.
    init?(_ url: URL) {
        struct Document: Decodable {
            var format: String
            var version: Int
            var shards, replacements: [Digest]
        }
        guard let data = try? Disk.read(url.path), let document = try? JSONDecoder().decode(Document.self, from: data),
            document.format == "attune-retirement", document.version <= 1,
            Digest(of: data).hex == url.deletingPathExtension().lastPathComponent
        else { return nil }
        self.init(shards: document.shards, replacements: document.replacements)
    }
}

extension Corpus {
    private var retiredFolder: URL { folder.appending(path: "retired") }

    /// Replaces shards for good: noted, entered in the catalogue, removed. The new ones are sealed already.
    ///
    /// Killed between any two of these steps, it leaves samples in two shards at worst, which the next `pack` finds.
    func replace(_ old: [Digest], with new: [Digest]) throws(CorpusError) {
        let old = old.filter { !new.contains($0) }
        guard !old.isEmpty else { return }
        let note = Retirement(shards: old, replacements: new).data
        try files.write(note, to: retiredFolder.appending(path: "\(Digest(of: note)).json"))
        try catalogue.replace(old, with: prepared(new))
        for digest in old { try files.remove(ShardWriter.location(of: digest, in: shardsFolder)) }
    }

    func prepared(_ digests: [Digest]) throws(CorpusError) -> [PreparedShard] {
        try digests.map { (digest) throws(CorpusError) in
            try PreparedShard(sealedAsKnown(digest), scoring: scoring)
        }
    }

    /// Takes up what another catalogue's `pack` or `gc` has done to shards that are gone.
    ///
    /// - Returns: whether all of them have been replaced.
    @discardableResult
    func followRetirements(of gone: Set<Digest>) throws(CorpusError) -> Bool {
        let notes = contents(of: retiredFolder, ending: ".json").compactMap { Retirement($0) }
        guard !gone.isEmpty, !notes.isEmpty else { return gone.isEmpty }
        var next: [Digest: [Digest]] = [:]
        for note in notes { for shard in note.shards { next[shard, default: []] += note.replacements } }
        let retired = gone.filter { next[$0] != nil }
        guard !retired.isEmpty else { return false }
        // A replacement may have been replaced since.
        var (open, seen, present) = (Array(retired), retired, Set<Digest>())
        while let shard = open.popLast() {
            for replacement in next[shard] ?? [] where seen.insert(replacement).inserted {
                let place = ShardWriter.location(of: replacement, in: shardsFolder)
                if FileManager.default.fileExists(atPath: place.path) { present.insert(replacement) }
                open.append(replacement)
            }
        }
        try catalogue.replace(retired.sorted(), with: prepared(present.sorted()))
        return retired.count == gone.count
    }
}
