import Disk
package import Foundation

/// An immutable, ordered list of sample ids with the policy that chose them. Its digest is the SHA-256 of its canonical
/// JSON, so the same choice has the same name everywhere.
package struct Selection: Sendable, Equatable {
    package let ids: [Digest]
    /// What can be asked again as the corpus grows.
    package let policy: CatalogueQuery

    package init(ids: [Digest], policy: CatalogueQuery) { (self.ids, self.policy) = (ids, policy) }

    package var digest: Digest { Digest(of: data) }

    package var data: Data {
        var rule: [String: CanonicalJSON] = ["per_prompt": .bool(policy.perPrompt)]
        if let condition = policy.condition { rule["where"] = .string(condition) }
        if let by = policy.by { rule["by"] = .string(by) }
        if let top = policy.top { rule["top"] = .integer(top) }
        return CanonicalJSON.object([
            "format": .string("attune-selection"), "version": .integer(1), "policy": .object(rule),
            "ids": .array(ids.map { .string($0.hex) }),
        ]).data
    }

    /// Reads a document back; its bytes must be the canonical ones.
    package init(data: Data, at path: String) throws(CorpusError) {
        struct Document: Decodable {
            struct Policy: Decodable {
                var `where`: String?
                var by: String?
                var top: Int?
                var per_prompt: Bool
            }
            var format: String
            var version: Int
            var policy: Policy
            var ids: [Digest]
        }
        guard let document = try? JSONDecoder().decode(Document.self, from: data), document.format == "attune-selection"
        else { throw CorpusError(.damaged, path, "is not a selection") }
        guard document.version <= 1 else {
            throw CorpusError(.newerFormat, path, "is a newer kind of selection: update attune")
        }
        let policy = document.policy
        ids = document.ids
        self.policy = CatalogueQuery(
            condition: policy.where, by: policy.by, top: policy.top, perPrompt: policy.per_prompt)
    }
}

/// One entry of a name's history.
package struct SelectionReference: Sendable, Equatable, Codable {
    package var digest: Digest
    /// Seconds since 1970.
    package var time: Int
    /// Of this entry and those before it: how a flipped bit is found in a file that no digest names.
    package var sum: String?

    private static func sum(_ name: String, _ entry: SelectionReference, after previous: String) -> String {
        String(Digest(of: Data("\(previous)\n\(name)\n\(entry.digest)\n\(entry.time)".utf8)).hex.prefix(16))
    }

    /// The entry of a name with its check sum.
    func summed(_ name: String, after history: [SelectionReference]) -> SelectionReference {
        var entry = self
        entry.sum = Self.sum(name, self, after: history.last?.sum ?? "")
        return entry
    }

    /// The place of the first entry that is not as it was written.
    static func firstBroken(_ history: [SelectionReference], name: String) -> Int? {
        var previous = ""
        for (place, entry) in history.enumerated() {
            guard entry.sum == sum(name, entry, after: previous) else { return place }
            previous = entry.sum ?? ""
        }
        return nil
    }
}

extension Corpus {
    /// Resolves a policy against the corpus as it is now, without storing anything.
    package func resolve(_ policy: CatalogueQuery) throws(CorpusError) -> Selection {
        Selection(ids: try query(policy).compactMap { Digest(hex: $0.id) }, policy: policy)
    }

    /// Stores a selection and points `name` at it; the name's earlier selections stay in its history.
    package func store(_ selection: Selection, as name: String) throws(CorpusError) {
        let reference = try referenceURL(name)
        // Two processes that select at once under one name both stay in its history.
        try referring { () throws(CorpusError) in
            try write(selection)
            try extend(name, with: selection.digest, at: reference)
        }
    }

    /// Runs `body` while no other process makes a selection or collects what none refers to.
    func referring(_ body: () throws(CorpusError) -> Void) throws(CorpusError) {
        try FileLock.hold(folder.appending(path: "refs/.lock"), body)
    }

    private func extend(_ name: String, with digest: Digest, at reference: URL) throws(CorpusError) {
        var history = try self.history(of: name)
        guard history.last?.digest != digest else { return }
        let entry = SelectionReference(digest: digest, time: Int(Date().timeIntervalSince1970))
        history.append(entry.summed(name, after: history))
        do {
            try files.write(JSONEncoder().encode(history), to: reference)
        } catch let error as CorpusError {
            throw error
        } catch {
            throw CorpusError(.io, reference.path, "cannot be encoded: \(error)")
        }
    }

    /// Stores a selection that no name stands for, such as the one that an epoch of a run reads.
    package func store(_ selection: Selection) throws(CorpusError) {
        try referring { () throws(CorpusError) in try write(selection) }
    }

    private func write(_ selection: Selection) throws(CorpusError) {
        // Where nothing was ever dropped, no sample can have gone since the selection was resolved.
        if FileManager.default.fileExists(atPath: folder.appending(path: "retired").path) {
            let known = try catalogue.known(selection.ids)
            if let lost = selection.ids.first(where: { !known.contains($0) }) {
                throw CorpusError(.notFound, lost.hex, "the sample went while it was being selected: select again")
            }
        }
        try files.write(selection.data, to: selectionURL(selection.digest))
    }

    /// All selections that a name has stood for, oldest first; empty for an unknown name.
    package func history(of name: String) throws(CorpusError) -> [SelectionReference] {
        let url = try referenceURL(name)
        // A name that cannot be read is not a name that is free: storing would drop its history.
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        guard let data = try? Disk.read(url.path) else {
            throw CorpusError(.io, url.path, "cannot be read: check its permissions")
        }
        guard let history = try? JSONDecoder().decode([SelectionReference].self, from: data) else {
            throw CorpusError(
                .damaged, url.path,
                "is not a history of selections: restore it from a copy, or remove it and select again")
        }
        return history
    }

    /// The names that stand for selections, sorted.
    package func selectionNames() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "refs").path)) ?? []
        return names.compactMap { $0.hasSuffix(".json") ? String($0.dropLast(5)) : nil }.sorted()
    }

    /// The selection that a name stands for now.
    package func selection(named name: String) throws(CorpusError) -> Selection {
        guard let last = try history(of: name).last else {
            let known = selectionNames()
            throw CorpusError(
                .notFound, name,
                known.isEmpty
                    ? "no such selection: make one with `attune select`"
                    : "no such selection; there are \(known.joined(separator: ", "))")
        }
        return try selection(last.digest)
    }

    /// A selection by digest, checked against it.
    package func selection(_ digest: Digest) throws(CorpusError) -> Selection {
        let url = selectionURL(digest)
        guard let data = try? Disk.read(url.path) else {
            throw CorpusError(.notFound, url.path, "the selection's document is missing")
        }
        guard Digest(of: data) == digest else {
            throw CorpusError(.damaged, url.path, "the selection's bytes do not match its name")
        }
        return try Selection(data: data, at: url.path)
    }

    func hasSelection(_ digest: Digest) -> Bool {
        FileManager.default.fileExists(atPath: selectionURL(digest).path)
    }

    func selectionURL(_ digest: Digest) -> URL { folder.appending(path: "selections/\(digest.hex).json") }

    private func referenceURL(_ name: String) throws(CorpusError) -> URL {
        let allowed = name.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || $0.properties.numericType != nil || "._-".unicodeScalars.contains($0))
        }
        guard allowed, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 128 else {
            throw CorpusError(.badQuery, name, "a selection's name has letters, digits, '.', '_' and '-' only")
        }
        return folder.appending(path: "refs/\(name).json")
    }
}
