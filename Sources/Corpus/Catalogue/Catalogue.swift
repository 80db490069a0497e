import Foundation
import GRDB

/// The SQLite index of a corpus: derived from the shards, deletable at any time.
struct Catalogue: Sendable {
    private let writer: DatabaseQueue
    private let path: String

    /// - Parameter identity: of the estimators that fill it; rows by others are dropped.
    init(path: String, identity: String) throws(CorpusError) {
        self.path = path
        var configuration = Configuration()
        // As long as `reindex` of a large corpus may hold its transaction.
        configuration.busyMode = .timeout(600)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
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

    private static func isCurrent(_ database: Database, _ identity: String) throws -> Bool {
        guard try Int.fetchOne(database, sql: "PRAGMA user_version") == CatalogueSchema.version else { return false }
        return try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = 'estimators'") == identity
    }

    private static func clear(_ database: Database, _ identity: String) throws {
        try database.execute(sql: CatalogueSchema.sql)
        try database.execute(sql: "INSERT INTO setting VALUES ('estimators', ?)", arguments: [identity])
        try database.execute(sql: "PRAGMA user_version = \(CatalogueSchema.version)")
    }

    /// Removes the files of a catalogue that cannot be opened.
    static func discard(at path: String) {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    /// Shards that have been taken in.
    func shards() throws(CorpusError) -> Set<String> {
        try Self.explained(path) { try writer.read { Set(try String.fetchAll($0, sql: "SELECT digest FROM shard")) } }
    }

    /// Takes in one file in one transaction.
    func add(_ sealed: consuming SealedFile, scoring: any TraceScoring) throws(CorpusError) {
        let file = Once(sealed)
        try Self.explained(path) {
            try writer.write { database in
                guard let sealed = file.take() else { return }
                try CatalogueFilling(database: database, scoring: scoring).add(sealed)
            }
        }
    }

    /// Empties the catalogue and lets `body` fill it again, all in one transaction: readers see the old rows until then.
    func rebuild(
        scoring: any TraceScoring, _ body: (CatalogueFilling) throws -> Void
    ) throws(CorpusError) {
        try Self.explained(path) {
            try writer.write { database in
                try Self.clear(database, scoring.identity)
                try body(CatalogueFilling(database: database, scoring: scoring))
            }
        }
    }

    /// Which of these samples the corpus has.
    func known(_ ids: [Digest]) throws(CorpusError) -> Set<Digest> {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(sql: "SELECT 1 FROM samples WHERE id = ?")
                return Set(try ids.filter { try Int.fetchOne(statement, arguments: [$0.hex]) != nil })
            }
        }
    }

    func summary() throws(CorpusError) -> CatalogueSummary {
        try Self.explained(path) { try writer.read { try CatalogueSummary($0) } }
    }

    /// Which of these samples have been scored by `scorer`.
    func scored(_ samples: [String], by scorer: Digest) throws(CorpusError) -> Set<String> {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(sql: "SELECT 1 FROM score WHERE sample = ? AND scorer = ?")
                return Set(
                    try samples.filter { try Int.fetchOne(statement, arguments: [$0, scorer.hex]) != nil })
            }
        }
    }

    /// The rows of a user's condition, over a connection that cannot write.
    func rows(_ query: CatalogueQuery) throws(CorpusError) -> [CatalogueRow] {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(60)
        let settings = configuration
        do {
            return try DatabaseQueue(path: path, configuration: settings).read { database in
                try Row.fetchAll(database, sql: query.sql).map { row in CatalogueRow(row) }
            }
        } catch let error as DatabaseError {
            throw CorpusError(
                .badQuery, query.condition ?? query.by ?? "query",
                "\(error.message ?? "cannot be run"); columns: \(CatalogueRow.columns.joined(separator: ", "))")
        } catch {
            throw CorpusError(.io, path, "\(error)")
        }
    }

    func existing(_ recipes: [Digest]) throws(CorpusError) -> Set<Digest> {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(sql: "SELECT 1 FROM samples WHERE recipe = ?")
                return Set(
                    try recipes.filter { recipe in
                        try Int.fetchOne(statement, arguments: [recipe.hex]) != nil
                    })
            }
        }
    }

    private static func explained<R>(_ path: String, _ body: () throws -> R) throws(CorpusError) -> R {
        do { return try body() } catch let error as CorpusError { throw error } catch {
            throw CorpusError(.io, path, "the catalogue failed (delete it and run `attune reindex`): \(error)")
        }
    }
}

/// Hands a value that cannot be copied to a closure that is called once.
private final class Once {
    private var value: SealedFile?

    init(_ value: consuming SealedFile) { self.value = consume value }

    func take() -> SealedFile? {
        let taken = value.take()
        return taken
    }
}
