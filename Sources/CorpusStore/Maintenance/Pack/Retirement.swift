import DiskAccess
import Foundation
import HDF5
import Synchronization

/// A note that shards have been replaced, so that catalogues which still know them, on this host or another, find their
/// samples again. `retired/<sha256>.json`; written after the new shards and before the old ones go.
struct Retirement: Equatable {
    var shards: [Digest]
    /// What holds their samples now; what is in none of them has been dropped.
    var replacements: [Digest]
    /// The change times of the files that went, in nanoseconds since 1970: a later file of the same name is another
    /// life.
    var changed: [Digest: Int64]

    var data: Data {
        var members: [String: CanonicalJSON] = [
            "format": .string("attune-retirement"), "version": .integer(1),
            "shards": .array(shards.map { .string($0.hex) }),
            "replacements": .array(replacements.map { .string($0.hex) }),
        ]
        if !changed.isEmpty {
            // As texts: JSON's numbers do not hold nanoseconds.
            members["changed"] = .object(
                Dictionary(changed.map { ($0.key.hex, .string(String($0.value))) }) { first, _ in first })
        }
        return CanonicalJSON.object(members).data
    }

    init(shards: [Digest], replacements: [Digest], changed: [Digest: Int64] = [:]) {
        (self.shards, self.replacements, self.changed) = (shards.sorted(), replacements.sorted(), changed)
    }
}

/// A note that a shard is back which an earlier note says has gone. `retired/<sha256>.json` too.
struct Revival {
    /// With the change time of its file.
    var shard: Digest
    var changed: Int64

    var data: Data {
        CanonicalJSON.object([
            "format": .string("attune-revival"), "version": .integer(1), "shard": .string(shard.hex),
            "changed": .string(String(changed)),
        ]).data
    }
}

/// What the notes in `retired/` say of each shard. They never change, so each is read once.
final class RetirementLog: Sendable {
    private struct State {
        var read: Set<String> = []
        var next: [Digest: Set<Digest>] = [:]
        /// The change time of the last file that went, and of the last that came back.
        var gone: [Digest: Int64] = [:]
        var back: [Digest: Int64] = [:]
    }

    private struct Document: Decodable {
        var format: String
        var version: Int
        var shards, replacements: [Digest]?
        var shard: Digest?
        /// Of each shard, or of the one.
        var changed: Times?

        enum Times: Decodable {
            case one(Int64), each([String: Int64])

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let text = try? container.decode(String.self), let time = Int64(text) {
                    self = .one(time)
                } else {
                    self = .each(try container.decode([String: String].self).compactMapValues { Int64($0) })
                }
            }
        }
    }

    private let folder: URL
    private let state = Mutex(State())

    init(_ folder: URL) { self.folder = folder }

    /// What a shard that is gone was replaced by: shards that may have been replaced since. Nil where no note explains
    /// why it is gone.
    ///
    /// - Parameter seen: the change time that its file had when it was last seen.
    func replacements(of shard: Digest, seen: Int64) -> Set<Digest>? {
        state.withLock { state in
            guard let gone = state.gone[shard], gone >= max(seen, state.back[shard] ?? .min) else { return nil }
            return state.next[shard] ?? []
        }
    }

    /// What shards have been replaced by, whenever that was.
    func successors(of shard: Digest) -> Set<Digest> { state.withLock { $0.next[shard] ?? [] } }

    /// Of some shards that are there, those that the notes take for gone.
    func buried(_ present: Set<Digest>) -> [Digest] {
        state.withLock { state in
            guard !state.gone.isEmpty else { return [] }
            let found =
                present.count < state.gone.count
                ? present.filter { state.gone[$0] != nil } : Set(state.gone.keys).intersection(present)
            return found.filter { (state.gone[$0] ?? .min) >= (state.back[$0] ?? .min) }.sorted()
        }
    }

    /// Whether a file that is there is a later one than those that the notes say have gone.
    func isLater(_ shard: Digest, _ changed: Int64) -> Bool {
        state.withLock { state in state.gone[shard].map { changed > $0 } ?? false }
    }

    /// Reads the notes that are new.
    ///
    /// - Throws: ``CorpusError`` for a note that cannot be read. One that is damaged is left out: catalogues that need
    ///   it then name its shards as missing.
    func refresh() throws(CorpusError) {
        let names = try reported { () throws(DiskError) in try Disk.listIfPresent(folder.path) ?? [] }
        let known = state.withLock { $0.read }
        for name in names where name.hasSuffix(".json") && !known.contains(name) {
            let url = folder.appending(path: name)
            // `gc` removes notes that are very old.
            guard let data = try reported({ () throws(DiskError) in try Disk.readIfPresent(url.path) }) else {
                continue
            }
            let written = try reported { () throws(DiskError) in try FileStamp(path: url.path) }?.changed ?? .min
            state.withLock { state in
                state.read.insert(name)
                guard Digest(of: data).hex == url.deletingPathExtension().lastPathComponent,
                    let document = try? JSONDecoder().decode(Document.self, from: data), document.version <= 1
                else { return }
                Self.take(document, written, &state)
            }
        }
    }

    private static func take(_ document: Document, _ written: Int64, _ state: inout State) {
        switch document.format {
        case "attune-retirement":
            for shard in document.shards ?? [] {
                state.next[shard, default: []].formUnion(document.replacements ?? [])
                // Notes of versions up to 0.1 do not say; the file was older than the note.
                var time = written
                if case .each(let times) = document.changed { time = times[shard.hex] ?? written }
                state.gone[shard] = max(state.gone[shard] ?? .min, time)
            }
        case "attune-revival":
            guard let shard = document.shard, case .one(let time) = document.changed else { return }
            state.back[shard] = max(state.back[shard] ?? .min, time)
        default: break
        }
    }
}

extension Corpus {
    private var retiredFolder: URL { folder.appending(path: "retired") }

    private func write(note data: Data) throws(CorpusError) {
        try files.write(data, to: retiredFolder.appending(path: "\(Digest(of: data)).json"))
    }

    /// Puts a shard in place, for good: many may do so at once, meanwhile none is removed, and notes that an earlier
    /// shard of the same bytes has gone are void afterwards.
    func sealing(_ body: () throws(CorpusError) -> Digest) throws(CorpusError) -> Digest {
        let digest = try FileLock.hold(folder.appending(path: "refs/.sealing"), shared: true, body)
        try revive([digest])
        return digest
    }

    /// Replaces shards for good: noted, entered in the catalogue, removed. The new ones are sealed already.
    ///
    /// Killed between any two of these steps, it leaves samples in two shards at worst, which the next `pack` finds.
    ///
    /// - Parameter doubles: shards that stay and may hold samples of the old ones.
    func replace(_ old: [Digest], with new: [Digest], doubles: [Digest] = []) throws(CorpusError) {
        let old = old.filter { !new.contains($0) }
        guard !old.isEmpty else { return }
        var stamps: [Digest: FileStamp] = [:]
        for digest in old { stamps[digest] = try stamp(ShardWriter.location(of: digest, in: shardsFolder)) }
        try write(note: Retirement(shards: old, replacements: new, changed: stamps.mapValues(\.changed)).data)
        var holders = new
        for digest in doubles where !old.contains(digest) {
            if try exists(ShardWriter.location(of: digest, in: shardsFolder)) { holders.append(digest) }
        }
        try catalogue.replace(old, with: prepared(holders))
        try FileLock.hold(folder.appending(path: "refs/.sealing")) { () throws(CorpusError) in
            for digest in old {
                let place = ShardWriter.location(of: digest, in: shardsFolder)
                // One that somebody has sealed again meanwhile is not the one that was looked at.
                if try stamp(place) == stamps[digest] { try files.remove(place) }
            }
        }
    }

    func prepared(_ digests: [Digest]) throws(CorpusError) -> [PreparedShard] {
        try digests.map { (digest) throws(CorpusError) in
            try PreparedShard(sealedAsKnown(digest), scoring: scoring)
        }
    }

    /// Voids the notes that take some shards for gone which are there: that one is lost must not pass for a removal.
    ///
    /// Whoever seals a shard does so, and whoever finds one, in case the first was killed in between. A file that is
    /// about to be removed is not later than its note says.
    func revive(_ present: Set<Digest>) throws(CorpusError) {
        try retirements.refresh()
        // Who may only read leaves that to others.
        guard Permission.writeProblem(retiredFolder.path) == nil else { return }
        for digest in retirements.buried(present) {
            guard let stamp = try stamp(ShardWriter.location(of: digest, in: shardsFolder)),
                retirements.isLater(digest, stamp.changed)
            else { continue }
            try write(note: Revival(shard: digest, changed: stamp.changed).data)
        }
    }

    /// Applies what another catalogue's `pack` or `gc` has done to shards that are gone.
    ///
    /// - Returns: whether all of them have been replaced.
    @discardableResult
    func followRetirements(of gone: Set<Digest>) throws(CorpusError) -> Bool {
        guard !gone.isEmpty else { return true }
        try retirements.refresh()
        var next: [Digest: Set<Digest>] = [:]
        for shard in gone {
            let seen = try catalogue.stamp(of: shard)?.changed ?? .min
            next[shard] = retirements.replacements(of: shard, seen: seen)
        }
        let retired = Set(next.keys)
        guard !retired.isEmpty else { return false }
        // A replacement may have been replaced since.
        var (open, seen, present) = (Array(retired), retired, Set<Digest>())
        while let shard = open.popLast() {
            for replacement in next[shard] ?? retirements.successors(of: shard)
            where seen.insert(replacement).inserted {
                if try exists(ShardWriter.location(of: replacement, in: shardsFolder)) { present.insert(replacement) }
                open.append(replacement)
            }
        }
        try catalogue.replace(retired.sorted(), with: prepared(present.sorted()))
        return retired.count == gone.count
    }
}
