import DiskAccess
package import Foundation
import HDF5
import Synchronization

/// A folder of shards with everything that is derived from them. Any number of processes may use one at once.
///
/// ```swift
/// let corpus = try Corpus.create(at: URL(fileURLWithPath: "corpus"), scoring: scoring)
/// try corpus.append(records)
/// try corpus.store(corpus.resolve(CatalogueQuery(by: "mi", top: 1, perPrompt: true)), as: "best")
/// let best = try SampleReader(corpus).rows(corpus.selection(named: "best").ids)
/// ```
package struct Corpus: Sendable {
    package static let version = 1

    package let folder: URL
    package let files: AtomicFiles
    let scoring: any TraceScoring
    let catalogue: Catalogue
    /// Whether other hosts may be using the corpus, with catalogues of their own.
    let isShared: Bool
    let retirements: RetirementLog
    /// What is wrong with shards whose samples the catalogue lacks for it, as of the opening.
    package private(set) var unreadable: [CorpusError] = []

    private struct Settings: Codable {
        var format = "attune-corpus"
        var version = Corpus.version
        var id: String
        /// Of the other members: how a flipped bit is found in a file that no digest names.
        var sum: String?

        init(id: String) {
            self.id = id
            sum = expectedSum
        }

        var expectedSum: String { String(Digest(of: Data("\(format)\n\(version)\n\(id)".utf8)).hex.prefix(16)) }
    }

    var shardsFolder: URL { folder.appending(path: "shards") }

    /// Makes a new, empty corpus.
    ///
    /// - Throws: ``CorpusError`` when the folder holds anything but what an interrupted creation leaves.
    package static func create(at folder: URL, scoring: any TraceScoring) throws(CorpusError) -> Corpus {
        guard try isFree(folder) else {
            throw CorpusError(.alreadyExists, folder.path, "the folder is not empty: choose another for the corpus")
        }
        do {
            for name in folders {
                try reported { () throws(DiskError) in try Disk.makeFolder(folder.appending(path: name).path) }
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
    private static func isFree(_ folder: URL) throws(CorpusError) -> Bool {
        func names(_ url: URL) throws(CorpusError) -> [String] {
            try reported { () throws(DiskError) in try Disk.listIfPresent(url.path) ?? [] }
        }
        let present = try names(folder).filter { !belongsToFileSystem($0) }
        if present.isEmpty { return true }
        // shards/ is made first; without it the folders are somebody else's.
        guard present.contains("shards") else { return false }
        for name in present where name != "tmp" {
            guard folders.contains(name), try names(folder.appending(path: name)).isEmpty else { return false }
        }
        return true
    }

    /// What a fresh volume has in its top folder, and file managers leave in any.
    private static func belongsToFileSystem(_ name: String) -> Bool {
        ["lost+found", ".snapshot", ".snapshots", ".zfs", ".DS_Store"].contains(name) || name.hasPrefix(".Trash-")
    }

    /// Opens a corpus, sweeps the leftovers of dead writers, and catches up with shards that others have added.
    ///
    /// - Parameters:
    ///   - folder: the corpus.
    ///   - scoring: computes the scores of traces that the catalogue keeps.
    ///   - sweeping: whether leftovers go; no for what must remove nothing.
    package init(at folder: URL, scoring: any TraceScoring, sweeping: Bool = true) throws(CorpusError) {
        try self.init(unindexed: folder, scoring: scoring, sweeping: sweeping)
        unreadable = try catchUp()
    }

    /// Opens a corpus whose catalogue may lack rows.
    init(unindexed folder: URL, scoring: any TraceScoring, sweeping: Bool = true) throws(CorpusError) {
        try Self.check(folder)
        // Shards are opened by the thousand.
        _ = OpenFiles.limit
        let path = Self.cataloguePath(folder)
        if CatalogueAccess.writeProblem(path) == nil {
            self.init(folder, scoring, try Catalogue(path: path, identity: scoring.identity))
            if sweeping { files.sweep() }
        } else {
            self = try Self.readable(folder, scoring: scoring)
        }
    }

    init(_ folder: URL, _ scoring: any TraceScoring, _ catalogue: Catalogue) {
        (self.folder, self.scoring, self.catalogue) = (folder, scoring, catalogue)
        isShared = FileSystem.isShared(folder)
        retirements = RetirementLog(folder.appending(path: "retired"))
        files = AtomicFiles(temporaryFolder: folder.appending(path: "tmp"))
    }

    /// SQLite's log of writes needs memory that all its users share, so hosts that share a file system have a catalogue
    /// each. It is derived from the shards on either.
    static func cataloguePath(_ folder: URL) -> String {
        let name = FileSystem.isShared(folder) ? "catalog-\(AtomicFiles.host).sqlite" : "catalog.sqlite"
        return folder.appending(path: name).path
    }

    /// What is wrong with attune.json, if it can be read at all.
    func damagedSettings() -> CorpusError? {
        let file = folder.appending(path: "attune.json")
        let data: Data
        do throws(DiskError) { data = try Disk.read(file.path) } catch { return CorpusError(error) }
        guard let settings = try? JSONDecoder().decode(Settings.self, from: data), settings.sum == settings.expectedSum
        else { return CorpusError(.damaged, file.path, "is not as it was written: restore it from a copy") }
        return nil
    }

    /// Whether there is a corpus that this version understands.
    static func check(_ folder: URL) throws(CorpusError) {
        let file = folder.appending(path: "attune.json")
        guard let data = try reported({ () throws(DiskError) in try Disk.readIfPresent(file.path) }) else {
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

    /// Seals records as one shard and adds it to the catalogue.
    @discardableResult
    package func append(_ records: [SampleRecord]) throws(CorpusError) -> Digest {
        try seal(ShardWriter.encoded(records))
    }

    /// Puts a shard among the others, on the disk when this returns, and adds it to the catalogue.
    @discardableResult
    func seal(_ contents: FileContents) throws(CorpusError) -> Digest {
        let digest = try sealing { () throws(CorpusError) in
            try SealedFile.write(contents, to: shardsFolder, files: files)
        }
        try index(digest)
        return digest
    }

    /// Adds a shard that was just sealed to the catalogue, unless `pack` was faster and it is part of another now.
    func index(_ digest: Digest) throws(CorpusError) {
        var missing: CorpusError?
        do throws(CorpusError) { try catalogue.add(PreparedShard(written(digest), scoring: scoring)) } catch {
            guard error.code == .notFound else { throw error }
            missing = error
        }
        if try exists(ShardWriter.location(of: digest, in: shardsFolder)) { return }
        let wasReplaced = try followRetirements(of: [digest])
        if !wasReplaced, let missing { throw missing }
    }

    package func query(_ query: CatalogueQuery) throws(CorpusError) -> [CatalogueRow] { try catalogue.rows(query) }

    /// Calls `body` with each row of a query, however many there are.
    package func forEach(
        _ query: CatalogueQuery, _ body: (CatalogueRow) throws(CorpusError) -> Void
    ) throws(CorpusError) {
        try catalogue.forEachRow(query, body)
    }

    /// How many samples fit a query's condition.
    package func count(_ query: CatalogueQuery) throws(CorpusError) -> Int { try catalogue.count(query) }

    /// The ids that a query chooses, in its order.
    package func ids(_ query: CatalogueQuery) throws(CorpusError) -> [Digest] { try catalogue.ids(query) }

    /// Which of these recipes have been generated already.
    package func existing(_ recipes: [Digest]) throws(CorpusError) -> Set<Digest> { try catalogue.existing(recipes) }

    /// The same of samples that one engine computed; nil for the CPU's own loops.
    package func existing(_ recipes: [Digest], engine: String?) throws(CorpusError) -> Set<Digest> {
        try catalogue.existing(recipes, engine: engine)
    }

    /// A shard of samples. Its bytes are hashed unless they were before, and the file has not been changed since.
    package func open(_ digest: Digest) throws(CorpusError) -> ShardReader {
        let known = try catalogue.stamp(of: digest)
        let sealed = try sealed(digest, known: known)
        // A corpus that was copied has new stamps. Next time its bytes are known; not to be able to note that is no
        // harm.
        if known != nil, sealed.stamp != known { try? catalogue.note(sealed.stamp, of: digest) }
        return try ShardReader(sealed)
    }

    /// A sealed file of any kind.
    ///
    /// - Parameter known: the stamp that the file had when its bytes were hashed; nil to hash them now.
    func sealed(_ digest: Digest, known: FileStamp? = nil) throws(CorpusError) -> SealedFile {
        try SealedFile(ShardWriter.location(of: digest, in: shardsFolder), digest: digest, known: known)
    }

    /// A sealed file whose bytes are hashed unless they were before, and the file has not been changed since.
    func sealedAsKnown(_ digest: Digest) throws(CorpusError) -> SealedFile {
        try sealed(digest, known: catalogue.stamp(of: digest))
    }

    /// A file that this process has just written, whose bytes were hashed on the way.
    func written(_ digest: Digest) throws(CorpusError) -> SealedFile {
        try sealed(digest, known: stamp(ShardWriter.location(of: digest, in: shardsFolder)))
    }
}
