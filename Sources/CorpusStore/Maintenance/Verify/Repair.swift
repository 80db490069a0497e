import Foundation
import DiskAccess

/// What a repair did to one damaged object.
package struct RepairOutcome: Sendable {
    package enum Action: String, Sendable {
        /// The same bytes are back.
        case restored
        /// Its samples are back, in a new shard.
        case refetched
        /// It is in quarantine/, and the corpus continues without it.
        case quarantined
        /// Nothing could be done.
        case left
    }

    package let damage: Damage
    package let action: Action
    /// Samples that the corpus had and has no more.
    package var lost: [Digest] = []
}

extension Corpus {
    /// Repairs what ``check(_:progress:)`` found, as far as another corpus has it. What is damaged is moved to
    /// quarantine/ and never deleted; samples that are lost leave the catalogue, so that `generate` makes them again.
    ///
    /// - Parameters:
    ///   - damage: what was found.
    ///   - source: a corpus that may have what is damaged here.
    package func repair(_ damage: [Damage], from source: Corpus?) throws(CorpusError) -> [RepairOutcome] {
        try maintained { () throws(CorpusError) in
            try damage.map { (damage) throws(CorpusError) in
                switch damage.kind {
                case .shard: try repair(shard: damage, from: source)
                case .selection, .checkpoint, .adapter: try repair(file: damage, from: source)
                case .name, .log, .settings, .catalogue:
                    RepairOutcome(damage: damage, action: try restoreSelection(of: damage, from: source))
                }
            }
        }
    }

    private func repair(shard damage: Damage, from source: Corpus?) throws(CorpusError) -> RepairOutcome {
        guard let digest = damage.digest else { return RepairOutcome(damage: damage, action: .left) }
        let place = ShardWriter.location(of: digest, in: shardsFolder)
        if try restore(place, digest, from: source) { return RepairOutcome(damage: damage, action: .restored) }
        let isDamaged = damage.code == .damaged || failsToRead(place)
        guard isDamaged || source != nil else { return RepairOutcome(damage: damage, action: .left) }
        let found = try source.map { (source) throws(CorpusError) in try records(damage.samples, of: source) } ?? []
        let new = found.isEmpty ? [] : [try seal(found.map(\.record), ids: found.map(\.id))]
        if !isDamaged, new.isEmpty { return RepairOutcome(damage: damage, action: .left) }
        try quarantine(place)
        try catalogue.replace([digest], with: prepared(new))
        // Of annotations, earlier revisions count again.
        try catchUp()
        let back = Set(found.map(\.id))
        return RepairOutcome(
            damage: damage, action: new.isEmpty ? .quarantined : .refetched,
            lost: damage.samples.filter { !back.contains($0) })
    }

    private func records(
        _ ids: [Digest], of source: Corpus
    ) throws(CorpusError) -> [(id: Digest, record: SampleRecord)] {
        let reader = SampleReader(source)
        let rows = try source.rows(ids)
        var records: [(id: Digest, record: SampleRecord)] = []
        for id in ids {
            // What is damaged there too is not taken.
            if let row = rows[id], let record = try? reader.record(row) { records.append((id, record)) }
        }
        return records
    }

    private func repair(file damage: Damage, from source: Corpus?) throws(CorpusError) -> RepairOutcome {
        let place = URL(fileURLWithPath: damage.subject)
        if let digest = damage.digest, try restore(place, digest, from: source) {
            return RepairOutcome(damage: damage, action: .restored)
        }
        // A selection that lacks samples is intact itself.
        guard damage.code == .damaged || failsToRead(place) else { return RepairOutcome(damage: damage, action: .left) }
        try quarantine(place)
        return RepairOutcome(damage: damage, action: .quarantined)
    }

    /// Brings back a document that a name or a log refers to. What is wrong with a name itself is left: a wrong guess
    /// would change what the name stands for.
    private func restoreSelection(of damage: Damage, from source: Corpus?) throws(CorpusError) -> RepairOutcome.Action {
        guard let digest = damage.digest, try !hasSelection(digest) else { return .left }
        return try restore(selectionURL(digest), digest, from: source) ? .restored : .left
    }

    /// Brings back the same bytes from the same place of another corpus, if it has them.
    private func restore(_ place: URL, _ digest: Digest, from source: Corpus?) throws(CorpusError) -> Bool {
        guard let source else { return false }
        let path = place.standardizedFileURL.path, root = folder.standardizedFileURL.path
        guard path.hasPrefix(root + "/"),
            // What cannot be read there is no help, and no reason to give up on the rest.
            let data = try? Disk.read(source.folder.appending(path: String(path.dropFirst(root.count + 1))).path),
            Digest(of: data) == digest
        else { return false }
        // What is there already may be intact: the damage of a selection can be that samples are missing.
        do throws(DiskError) {
            if let present = try Disk.readIfPresent(place.path), Digest(of: present) == digest { return false }
        } catch {
            // Whatever keeps it from being read: the same bytes take its place, and it is kept.
        }
        try quarantine(place)
        if path.hasPrefix(shardsFolder.standardizedFileURL.path + "/") {
            _ = try sealing { () throws(CorpusError) in
                try files.write(data, to: place)
                return digest
            }
        } else {
            try files.write(data, to: place)
        }
        return true
    }

    /// Whether a file can be opened and its disk does not deliver its bytes: that is damage, unlike a file that this
    /// process may not read.
    private func failsToRead(_ place: URL) -> Bool {
        do throws(DiskError) { _ = try DiskFile(place.path, .read).status() } catch { return false }
        do throws(DiskError) { _ = try Disk.read(place.path) } catch { return error.code == EIO }
        return false
    }

    /// Moves a file to quarantine/, under its path in the corpus; what is there already stays.
    private func quarantine(_ place: URL) throws(CorpusError) {
        guard try exists(place) else { return }
        let path = place.standardizedFileURL.path.dropFirst(folder.standardizedFileURL.path.count + 1)
        var destination = folder.appending(path: "quarantine/\(path)")
        if try exists(destination) {
            destination.appendPathExtension(UUID().uuidString)
        }
        try files.move(place, to: destination)
    }
}
