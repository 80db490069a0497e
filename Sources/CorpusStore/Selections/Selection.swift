import DiskAccess
package import Foundation

/// An immutable, ordered list of sample ids with the policy that chose them. Its digest is the SHA-256 of its canonical
/// JSON, so the same choice has the same name everywhere.
///
/// Laid down in schemas/selection.schema.json.
package struct Selection: Sendable, Equatable {
    package let ids: [Digest]
    package let policy: SelectionPolicy

    package init(ids: [Digest], policy: SelectionPolicy) { (self.ids, self.policy) = (ids, policy) }

    package var digest: Digest { Digest(of: data) }

    private static let format = "attune-selection"
    private static let version = 1

    package var data: Data {
        CanonicalJSON.object([
            "format": .string(Self.format), "version": .integer(Self.version), "policy": policy.json,
            "ids": .array(ids.map { .string($0.hex) }),
        ]).data
    }

    /// Reads a document back. Its bytes must be the canonical ones, as its digest is taken of them.
    ///
    /// - Parameters:
    ///   - data: the document.
    ///   - path: where the bytes come from, for errors.
    package init(data: Data, at path: String) throws(CorpusError) {
        struct Head: Decodable {
            var format: String
            var version: Int
        }
        struct Document: Decodable {
            var policy: SelectionPolicy
            var ids: [Digest]
        }
        let decoder = JSONDecoder()
        guard let head = try? decoder.decode(Head.self, from: data), head.format == Self.format else {
            throw CorpusError(.damaged, path, "is not a selection")
        }
        guard head.version <= Self.version else {
            throw CorpusError(.newerFormat, path, "is a newer kind of selection: update attune")
        }
        guard let document = try? decoder.decode(Document.self, from: data) else {
            throw CorpusError(.damaged, path, "is a selection whose ids or policy cannot be read")
        }
        (ids, policy) = (document.ids, document.policy)
        guard Set(ids).count == ids.count else { throw CorpusError(.damaged, path, "lists a sample twice") }
        guard self.data == data else {
            throw CorpusError(.damaged, path, "is not the canonical JSON of its selection: it was changed by hand")
        }
    }

    /// What a set operation makes of selections.
    package init(_ operation: SelectionPolicy.SetOperation, of operands: [Selection]) {
        self.init(
            ids: operation(operands.map(\.ids)), policy: .combination(operation, of: operands.map(\.digest)))
    }
}

extension Corpus {
    /// Resolves a question against the corpus as it is now, without storing anything.
    package func resolve(_ query: CatalogueQuery) throws(CorpusError) -> Selection {
        Selection(ids: try ids(query), policy: .query(query))
    }

    /// The selection that a selection's policy gives in the corpus as it is now. A list stays as it is; a combination
    /// combines what its operands have become.
    package func renewed(_ selection: Selection) throws(CorpusError) -> Selection {
        switch selection.policy {
        case .query(let query):
            return try resolve(query)
        case .list:
            return selection
        case .combination(let operation, let digests):
            let operands = try digests.map { digest throws(CorpusError) in try renewed(self.selection(digest)) }
            return Selection(ids: operation(operands.map(\.ids)), policy: selection.policy)
        }
    }

    /// Stores a selection that no name stands for, such as the one that an epoch of a run reads.
    package func store(_ selection: Selection) throws(CorpusError) {
        try referring { () throws(CorpusError) in try write(selection) }
    }

    /// - Precondition: within ``referring(_:)``.
    func write(_ selection: Selection) throws(CorpusError) {
        // Where nothing was ever dropped, no sample can have gone since the selection was resolved.
        if try exists(folder.appending(path: "retired")) {
            // Another host's `gc` has changed its own catalogue.
            if isShared { try requireReadable(catchUp()) }
            let known = try catalogue.known(selection.ids)
            if let lost = selection.ids.first(where: { !known.contains($0) }) { throw Self.lost(lost) }
            if isShared { try requireShards(of: selection) }
        }
        try files.write(selection.data, to: selectionURL(selection.digest))
    }

    /// A folder's listing may be a minute old on this host; to open a file asks the server.
    private func requireShards(of selection: Selection) throws(CorpusError) {
        for shard in try catalogue.shards(of: selection.ids) {
            let place = ShardWriter.location(of: shard, in: shardsFolder)
            do throws(DiskError) { _ = try DiskFile(place.path, .read).status() } catch {
                guard error.isAbsence, let lost = try catalogue.samples(of: shard).first else {
                    throw CorpusError(error)
                }
                throw Self.lost(lost)
            }
        }
    }

    private static func lost(_ sample: Digest) -> CorpusError {
        CorpusError(.notFound, sample.hex, "the sample went while it was being selected: select again")
    }

    /// A selection by digest, checked against it.
    package func selection(_ digest: Digest) throws(CorpusError) -> Selection {
        let url = selectionURL(digest)
        guard let data = try reported({ () throws(DiskError) in try Disk.readIfPresent(url.path) }) else {
            throw CorpusError(.notFound, url.path, "the selection's document is missing")
        }
        guard Digest(of: data) == digest else {
            throw CorpusError(.damaged, url.path, "the selection's bytes do not match its name")
        }
        return try Selection(data: data, at: url.path)
    }

    func hasSelection(_ digest: Digest) throws(CorpusError) -> Bool { try exists(selectionURL(digest)) }

    private var selectionsFolder: URL { folder.appending(path: "selections") }

    func selectionURL(_ digest: Digest) -> URL { selectionsFolder.appending(path: "\(digest.hex).json") }

    /// Digests of the stored selections whose first digits are these, sorted.
    func selections(beginningWith digits: String) throws(CorpusError) -> [Digest] {
        try selectionDigests().filter { $0.hex.hasPrefix(digits) }
    }
}
