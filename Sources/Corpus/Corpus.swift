package import Foundation

/// A folder of shards with everything that is derived from them. Any number of processes may use one at once.
package struct Corpus: Sendable {
    package static let version = 1

    package let folder: URL
    package let files: AtomicFiles
    let scoring: any TraceScoring
    let catalogue: Catalogue

    private struct Settings: Codable {
        var format = "attune-corpus"
        var version = Corpus.version
        var id: String
    }

    var shardsFolder: URL { folder.appending(path: "shards") }

    /// Makes a new, empty corpus.
    ///
    /// - Throws: ``CorpusError`` when the folder holds anything but what an interrupted creation leaves.
    package static func create(at folder: URL, scoring: any TraceScoring) throws(CorpusError) -> Corpus {
        guard isFree(folder) else {
            throw CorpusError(.alreadyExists, folder.path, "the folder is not empty: choose another for the corpus")
        }
        do {
            for name in folders {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: name), withIntermediateDirectories: true)
            }
            let data = try JSONEncoder().encode(Settings(id: UUID().uuidString.lowercased()))
            try AtomicFiles(temporaryFolder: folder.appending(path: "tmp"))
                .write(data, to: folder.appending(path: "attune.json"))
        } catch let error as CorpusError {
            throw error
        } catch {
            throw CorpusError(.io, folder.path, "cannot be created: \(error.localizedDescription)")
        }
        return try Corpus(at: folder, scoring: scoring)
    }

    private static let folders = ["shards", "selections", "runs", "refs", "tmp"]

    /// Whether a corpus can be made here: nothing is there, or the empty folders of a creation that was killed before
    /// attune.json, which comes last.
    private static func isFree(_ folder: URL) -> Bool {
        func names(_ url: URL) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] }
        let present = names(folder)
        if present.isEmpty { return true }
        // shards/ is made first; without it the folders are somebody else's.
        return present.contains("shards")
            && present.allSatisfy { name in
                name == "tmp" || (folders.contains(name) && names(folder.appending(path: name)).isEmpty)
            }
    }

    /// Opens a corpus, sweeps the leftovers of dead writers, and catches up with shards that others have added.
    package init(at folder: URL, scoring: any TraceScoring) throws(CorpusError) {
        try self.init(unindexed: folder, scoring: scoring)
        try catchUp()
    }

    /// Opens a corpus whose catalogue may lack rows.
    init(unindexed folder: URL, scoring: any TraceScoring) throws(CorpusError) {
        try Self.check(folder)
        self.folder = folder
        self.scoring = scoring
        files = AtomicFiles(temporaryFolder: folder.appending(path: "tmp"))
        files.sweep()
        catalogue = try Catalogue(path: Self.cataloguePath(folder), identity: scoring.identity)
    }

    static func cataloguePath(_ folder: URL) -> String { folder.appending(path: "catalog.sqlite").path }

    /// Whether there is a corpus that this version understands.
    static func check(_ folder: URL) throws(CorpusError) {
        let file = folder.appending(path: "attune.json")
        guard let data = try? Data(contentsOf: file) else {
            throw CorpusError(.notACorpus, folder.path, "is not a corpus: make one with `attune init`")
        }
        guard let settings = try? JSONDecoder().decode(Settings.self, from: data), settings.format == "attune-corpus"
        else { throw CorpusError(.damaged, file.path, "is damaged: restore it from a copy") }
        guard settings.version <= Self.version else {
            throw CorpusError(
                .newerFormat, file.path,
                "the corpus has format \(settings.version), this attune knows up to \(Self.version): update attune")
        }
    }

    /// Seals records as one shard and takes it into the catalogue.
    @discardableResult
    package func append(_ records: [SampleRecord]) throws(CorpusError) -> Digest {
        let digest = try ShardWriter.write(records, to: shardsFolder, files: files)
        try catalogue.add(sealed(digest), scoring: scoring)
        return digest
    }

    /// Takes in shards that the catalogue does not know.
    ///
    /// - Returns: what is wrong with shards that could not be taken in. They hide only their own samples: a corpus that
    ///   did not open because of them could not be verified either.
    @discardableResult
    package func catchUp() throws(CorpusError) -> [CorpusError] {
        let known = try catalogue.shards()
        var unreadable: [CorpusError] = []
        for digest in shards() where !known.contains(digest.hex) {
            do throws(CorpusError) {
                try catalogue.add(sealed(digest), scoring: scoring)
            } catch {
                guard error.code == .damaged || error.code == .notFound else { throw error }
                unreadable.append(error)
            }
        }
        return unreadable
    }

    /// The digests of all shards, sorted.
    package func shards() -> [Digest] {
        let manager = FileManager.default
        let prefixes = (try? manager.contentsOfDirectory(atPath: shardsFolder.path)) ?? []
        return prefixes.flatMap { prefix in
            (try? manager.contentsOfDirectory(atPath: shardsFolder.appending(path: prefix).path)) ?? []
        }.compactMap { $0.hasSuffix(".h5") ? Digest(hex: String($0.dropLast(3))) : nil }.sorted()
    }

    package func query(_ query: CatalogueQuery) throws(CorpusError) -> [CatalogueRow] { try catalogue.rows(query) }

    /// Which of these recipes have been generated already.
    package func existing(_ recipes: [Digest]) throws(CorpusError) -> Set<Digest> { try catalogue.existing(recipes) }

    /// A shard of samples.
    package func open(_ digest: Digest) throws(CorpusError) -> ShardReader { try ShardReader(sealed(digest)) }

    /// A sealed file of either kind.
    func sealed(_ digest: Digest) throws(CorpusError) -> SealedFile {
        try SealedFile(ShardWriter.location(of: digest, in: shardsFolder), digest: digest)
    }
}
