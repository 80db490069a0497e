import DiskAccess
import Foundation
import GRDB

/// The SQLite index of a corpus: derived from the shards, deletable at any time.
struct Catalogue: Sendable {
    let writer: DatabaseQueue
    let path: String
    /// It is read as it is: this process cannot write to it.
    let isReadOnly: Bool

    /// - Parameter identity: of the estimators that fill it; rows by others are dropped.
    init(path: String, identity: String) throws(CorpusError) {
        (self.path, isReadOnly) = (path, false)
        var configuration = Configuration()
        // As long as `reindex` of a large corpus may hold its transaction.
        configuration.busyMode = .timeout(600)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536") }
        writer = try Self.explained(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { _ = try String.fetchOne($0, sql: "PRAGMA journal_mode = WAL") }
            guard try !queue.read({ try Self.isCurrent($0, identity) }) else { return queue }
            try queue.write { database in
                // Asked again: another process may have been faster.
                if try !Self.isCurrent(database, identity) { try Self.clear(database, identity) }
            }
            return queue
        }
    }

    /// Opens a catalogue that cannot be written to; nil where it cannot be read, or is of another version.
    init?(reading path: String, identity: String) {
        (self.path, isReadOnly) = (path, true)
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(60)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -65536") }
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration),
            (try? queue.read { try Self.isCurrent($0, identity) }) == true
        else { return nil }
        writer = queue
    }

    private static func isCurrent(_ database: Database, _ identity: String) throws -> Bool {
        guard try Int.fetchOne(database, sql: "PRAGMA user_version") == CatalogueSchema.version else { return false }
        return try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = 'estimators'") == identity
    }

    /// Drops what any version has made, and makes this version's tables.
    private static func clear(_ database: Database, _ identity: String, isIndexed: Bool = true) throws {
        let old = try Row.fetchAll(
            database,
            sql: "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
        for row in old { try database.execute(sql: "DROP \(row["type"] as String) \"\(row["name"] as String)\"") }
        try database.execute(sql: CatalogueSchema.tables)
        if isIndexed { try database.execute(sql: CatalogueSchema.indexes) }
        try database.execute(sql: "INSERT INTO setting VALUES ('estimators', ?)", arguments: [identity])
        try database.execute(sql: "PRAGMA user_version = \(CatalogueSchema.version)")
    }

    /// Removes the files of a catalogue that cannot be opened.
    static func discard(at path: String) {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    /// Adds one file in one transaction.
    func add(_ shard: PreparedShard) throws(CorpusError) {
        try fill { try $0.add(shard) }
    }

    /// Keeps what `body` adds, in one transaction.
    func fill(_ body: (CatalogueFilling) throws -> Void) throws(CorpusError) {
        try Self.explained(path) {
            try writer.write {
                try body(CatalogueFilling(database: $0, isIndexed: true))
                try pass(.commit)
            }
            try pass(.committed)
        }
    }

    /// Empties the catalogue and lets `body` fill it again, all in one transaction: readers see the old rows until
    /// then.
    func rebuild(
        scoring: any TraceScoring, _ body: (CatalogueFilling) throws -> Void
    ) throws(CorpusError) {
        try Self.explained(path) {
            try writer.write { database in
                try Self.clear(database, scoring.identity, isIndexed: false)
                let filling = try CatalogueFilling(database: database, isIndexed: false)
                try body(filling)
                try filling.finish()
                try pass(.commit)
            }
            try pass(.committed)
            // The log now holds every page; what stays of it would be read through at each opening.
            try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        }
    }

    func summary() throws(CorpusError) -> CatalogueSummary {
        try Self.explained(path) { try writer.read { try CatalogueSummary($0) } }
    }

    /// Which of these samples have been scored by `scorer`.
    func scored(_ samples: [Digest], by scorer: Digest) throws(CorpusError) -> Set<Digest> {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(sql: "SELECT 1 FROM score WHERE sample = ? AND scorer = ?")
                return Set(
                    try samples.filter { try Int.fetchOne(statement, arguments: [Data($0.raw), scorer.hex]) != nil })
            }
        }
    }

    /// Which of these samples the corpus has.
    func known(_ ids: [Digest]) throws(CorpusError) -> Set<Digest> { try present(ids, in: "sample", "id") }

    /// Which of these recipes it has a sample of.
    func existing(_ recipes: [Digest]) throws(CorpusError) -> Set<Digest> {
        try present(recipes, in: "sample", "recipe")
    }

    /// Which of these recipes it has a sample of that this engine computed; nil for the CPU's own loops.
    func existing(_ recipes: [Digest], engine: String?) throws(CorpusError) -> Set<Digest> {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(
                    sql: """
                        SELECT 1 FROM sample s JOIN origin o ON o.key = s.origin WHERE s.recipe = ? AND o.engine IS ?
                        """)
                return Set(
                    try recipes.filter { try Int.fetchOne(statement, arguments: [Data($0.raw), engine]) != nil })
            }
        }
    }

    private func present(
        _ digests: [Digest], in table: String, _ column: String
    ) throws(CorpusError) -> Set<Digest> {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(sql: "SELECT 1 FROM \(table) WHERE \(column) = ?")
                return Set(try digests.filter { try Int.fetchOne(statement, arguments: [Data($0.raw)]) != nil })
            }
        }
    }

    static func explained<R>(_ path: String, _ body: () throws -> R) throws(CorpusError) -> R {
        do { return try body() } catch let error as CorpusError { throw error } catch {
            throw CorpusError(.io, path, "the catalogue failed (\(advice(error))): \(error)")
        }
    }

    /// What to do about a failure. A catalogue goes only when it is damaged: a disk that is full, or that may not be
    /// written to, would have no space for the next one either.
    private static func advice(_ error: any Error) -> String {
        switch (error as? DatabaseError)?.resultCode {
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: "check the permissions of its folder"
        case .SQLITE_FULL: "make room on its disk"
        case .SQLITE_IOERR: "check its disk"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "another process is using it; run this again when it is done"
        case .SQLITE_NOMEM: "there is too little memory"
        default: "delete it and run `attune reindex`"
        }
    }
}
