import DiskAccess
import Foundation

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

    /// The entry of a name with its checksum.
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
    /// Stores a selection and points `name` at it; the name's earlier selections stay in its history.
    package func store(_ selection: Selection, as name: String) throws(CorpusError) {
        let reference = try referenceURL(name)
        // Two processes that select at once under one name both stay in its history.
        try referring { () throws(CorpusError) in
            try write(selection)
            try extend(name, with: selection.digest, at: reference)
        }
    }

    /// Stores a selection under a name that somebody has looked at, unless another has changed it since.
    ///
    /// - Parameters:
    ///   - selection: what the name is to stand for.
    ///   - name: of the selection.
    ///   - seen: what the name stood for then; nil for a name that was free.
    /// - Throws: ``CorpusError`` of the kind `alreadyExists` where the name stands for something else by now; nothing is
    ///   stored then.
    package func store(
        _ selection: Selection, as name: String, replacing seen: Digest?
    ) throws(CorpusError) {
        let reference = try referenceURL(name)
        try referring { () throws(CorpusError) in
            let present = try history(of: name).last?.digest
            guard present == seen else {
                throw CorpusError(
                    .alreadyExists, name,
                    present.map {
                        "was changed meanwhile and stands for \($0.hex.prefix(12)) now: look at it, then change it again"
                    }
                        ?? "was removed meanwhile: store it under a new name")
            }
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

    /// All selections that a name has stood for, oldest first; empty for an unknown name.
    package func history(of name: String) throws(CorpusError) -> [SelectionReference] {
        let url = try referenceURL(name)
        // A name that cannot be read is not a name that is free: storing would drop its history.
        guard let data = try reported({ () throws(DiskError) in try Disk.readIfPresent(url.path) }) else { return [] }
        guard let history = try? JSONDecoder().decode([SelectionReference].self, from: data) else {
            throw CorpusError(
                .damaged, url.path,
                "is not a history of selections: restore it from a copy, or remove it and select again")
        }
        return history
    }

    /// The names that stand for selections, sorted.
    package func selectionNames() throws(CorpusError) -> [String] {
        try contents(of: folder.appending(path: "refs"), ending: ".json").map {
            String($0.lastPathComponent.dropLast(5))
        }
        .sorted()
    }

    /// The selection that a name stands for now.
    package func selection(named name: String) throws(CorpusError) -> Selection {
        guard let last = try history(of: name).last else { throw noSelection(name) }
        return try selection(last.digest)
    }

    /// The selection that a user means: a name, `name~1` for the one before the present one (`~2` and so on), or the
    /// digest of a stored selection or its first digits, six at least.
    package func selection(meant text: String) throws(CorpusError) -> Selection {
        if let mark = text.lastIndex(of: "~"), let back = Int(text[text.index(after: mark)...]), back >= 0 {
            let name = String(text[..<mark])
            let history = try history(of: name)
            guard !history.isEmpty else { throw noSelection(name) }
            guard back < history.count else {
                throw CorpusError(.notFound, text, "the history of \(name) begins with \(name)~\(history.count - 1)")
            }
            return try selection(history[history.count - 1 - back].digest)
        }
        if let last = try history(of: text).last { return try selection(last.digest) }
        guard text.count >= 6, text.allSatisfy(\.isHexDigit) else { throw noSelection(text) }
        let fitting = try selections(beginningWith: text.lowercased())
        guard fitting.count <= 1 else {
            throw CorpusError(.badQuery, text, "\(fitting.count) selections begin with these digits: give more of them")
        }
        guard let digest = fitting.first else { throw noSelection(text) }
        return try selection(digest)
    }

    private func noSelection(_ name: String) -> CorpusError {
        // Only to say what else there is.
        let known = (try? selectionNames()) ?? []
        return CorpusError(
            .notFound, name,
            known.isEmpty
                ? "no such selection: make one with `attune select`"
                : "no such selection; there are \(known.joined(separator: ", "))")
    }

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
