import Foundation
import GRDB

extension Corpus {
    /// Seals vectors as one file. Of a sample's vectors under one name those given last count.
    ///
    /// - Parameters:
    ///   - set: vectors of samples of this corpus.
    ///   - source: where they come from: a file's name, or what made them.
    /// - Returns: the revision that they make.
    /// - Throws: ``CorpusError`` naming a sample that the corpus lacks, and for vectors of another width than those that
    ///   it has under this name; nothing is stored then.
    @discardableResult
    package func add(_ set: VectorSet, from source: String) throws(CorpusError) -> Int {
        if let problem = Annotations.problem(withName: set.name) { throw CorpusError(.badQuery, set.name, problem) }
        guard !set.samples.isEmpty else { throw CorpusError(.badQuery, source, "has no vectors") }
        let known = try catalogue.known(set.samples)
        if let stranger = set.samples.first(where: { !known.contains($0) }) {
            throw CorpusError(.notFound, stranger.hex, "the corpus has no such sample; no vectors were stored")
        }
        return try FileLock.hold(folder.appending(path: "refs/.lock")) { () throws(CorpusError) in
            try requireReadable(catchUp())
            let present = try vectorSummaries().first { $0.name == set.name }
            if let present, present.width != set.width || present.element != set.values.element {
                throw CorpusError(
                    .badQuery, source,
                    "has vectors of \(set.width) values (\(set.values.element)); those of \(set.name) in the corpus have "
                        + "\(present.width) (\(present.element)): give them a name of their own")
            }
            let revision = (present?.revision ?? 0) + 1
            try seal(VectorShard.encoded(set, revision: revision, source: source))
            return revision
        }
    }

    /// A file with the vectors of the samples that stay; nil where none does.
    func rewrite(_ shard: VectorShard, without dead: Set<Digest>) throws(CorpusError) -> Digest? {
        let rows = shard.samples.indices.filter { !dead.contains(shard.samples[$0]) }
        guard !rows.isEmpty else { return nil }
        let width = shard.head.width
        func kept<T>(_ values: [T]) -> [T] { rows.flatMap { values[$0 * width..<($0 + 1) * width] } }
        let values: VectorSet.Values =
            switch try shard.values() {
            case .floats(let values): .floats(kept(values))
            case .bytes(let values): .bytes(kept(values))
            }
        let set = try VectorSet(
            name: shard.head.name, width: width, samples: rows.map { shard.samples[$0] }, values: values)
        return try seal(VectorShard.encoded(set, revision: shard.head.revision, source: shard.head.source))
    }

    /// What vectors the corpus has, by name.
    package func vectorSummaries() throws(CorpusError) -> [VectorSummary] {
        let files = try catalogue.vectorFiles()
        return Dictionary(grouping: files, by: \.head.name).values.compactMap { files in
            guard let last = files.max(by: { ($0.head.revision, $0.digest) < ($1.head.revision, $1.digest) }) else {
                return nil
            }
            return VectorSummary(
                name: last.head.name, element: last.head.element, width: last.head.width,
                vectors: files.reduce(0) { $0 + $1.count }, revision: last.head.revision, source: last.head.source)
        }.sorted { $0.name < $1.name }
    }

    /// The files that hold a name's vectors, in the order in which they count: of a sample that is in several, the last.
    ///
    /// - Throws: ``CorpusError`` where there are none.
    private func vectorFiles(named name: String) throws(CorpusError) -> (
        files: [Catalogue.VectorFile], head: VectorShard.Head
    ) {
        let files = try catalogue.vectorFiles().filter { $0.head.name == name }
            .sorted { ($0.head.revision, $0.digest) < ($1.head.revision, $1.digest) }
        guard let head = files.last?.head else {
            let names = try vectorSummaries().map(\.name)
            throw CorpusError(
                .notFound, name,
                names.isEmpty
                    ? "the corpus has no vectors: import them with `attune annotate FILE.npz --vectors`"
                    : "no such vectors; there are \(names.joined(separator: ", "))")
        }
        return (files, head)
    }

    /// The digests of the files that hold a name's vectors: they change when the vectors do.
    package func vectorDigests(named name: String) throws(CorpusError) -> [Digest] {
        try vectorFiles(named: name).files.map(\.digest)
    }

    /// Calls `body` with the vectors of one file after the other, so that they need not all be in memory.
    ///
    /// - Parameters:
    ///   - name: of the vectors.
    ///   - body: of a sample that it is given twice, the later vector counts.
    /// - Throws: ``CorpusError`` where there are none; what `body` throws.
    package func forEachVectors(named name: String, _ body: (VectorSet) throws -> Void) throws {
        let (files, head) = try vectorFiles(named: name)
        for file in files {
            let shard = try VectorShard(sealedAsKnown(file.digest))
            guard shard.head.width == head.width, shard.head.element == head.element else { continue }
            try body(shard.set())
        }
    }

    /// All vectors of a name, of each sample the last ones.
    ///
    /// - Throws: ``CorpusError`` where there are none.
    package func vectors(named name: String) throws(CorpusError) -> VectorSet {
        let (files, head) = try vectorFiles(named: name)
        var places: [Digest: Int] = [:]
        var samples: [Digest] = []
        var (floats, bytes): ([Float], [UInt8]) = ([], [])
        for file in files {
            let shard = try VectorShard(sealedAsKnown(file.digest))
            // Two hosts may have given vectors of two widths at once: the later file counts.
            guard shard.head.width == head.width, shard.head.element == head.element else { continue }
            let values = try shard.set().values
            for (row, sample) in shard.samples.enumerated() {
                let range = row * head.width..<(row + 1) * head.width
                if let place = places[sample] {
                    let old = place * head.width..<(place + 1) * head.width
                    switch values {
                    case .floats(let values): floats.replaceSubrange(old, with: values[range])
                    case .bytes(let values): bytes.replaceSubrange(old, with: values[range])
                    }
                } else {
                    places[sample] = samples.count
                    samples.append(sample)
                    switch values {
                    case .floats(let values): floats += values[range]
                    case .bytes(let values): bytes += values[range]
                    }
                }
            }
        }
        return try VectorSet(
            name: name, width: head.width, samples: samples,
            values: head.element == "uint8" ? .bytes(bytes) : .floats(floats))
    }
}

/// Files of vectors in the catalogue: one setting each, so that a catalogue of the present version holds them.
extension Catalogue {
    struct VectorFile: Codable, Sendable {
        var digest: Digest
        var head: VectorShard.Head
        /// Of vectors.
        var count: Int
    }

    private static let prefix = "vectors/"

    func vectorFiles() throws(CorpusError) -> [VectorFile] {
        try Self.explained(path) {
            try writer.read { database in
                try String.fetchAll(
                    database, sql: "SELECT value FROM setting WHERE name >= ? AND name < ? ORDER BY name",
                    arguments: [Self.prefix, "vectors0"]
                ).map { try JSONDecoder().decode(VectorFile.self, from: Data($0.utf8)) }
            }
        }
    }

    /// Forgets a file that has gone.
    static func forgetVectors(in shard: Digest, _ database: Database) throws {
        try database.execute(sql: "DELETE FROM setting WHERE name = ?", arguments: [prefix + shard.hex])
    }

    fileprivate static func note(_ file: VectorFile, _ database: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(file), as: UTF8.self)
        try database.execute(
            sql: "INSERT OR REPLACE INTO setting VALUES (?, ?)", arguments: [prefix + file.digest.hex, text])
    }
}

extension CatalogueFilling {
    /// Adds a file of vectors, whether or not its samples have been seen.
    func add(_ shard: VectorShard) throws {
        guard try enter(shard.digest, shard.stamp, samples: 0) != nil else { return }
        try Catalogue.note(
            Catalogue.VectorFile(digest: shard.digest, head: shard.head, count: shard.samples.count), database)
    }
}
