import Foundation
import GRDB

/// The SQLite index of a corpus: derived from the shards, deletable at any time.
struct Catalogue: Sendable {
    private let writer: DatabaseQueue
    private let path: String

    init(path: String) throws(CorpusError) {
        self.path = path
        var configuration = Configuration()
        configuration.busyMode = .timeout(60)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        writer = try Self.explained(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { _ = try String.fetchOne($0, sql: "PRAGMA journal_mode = WAL") }
            try queue.write { database in
                // Derived: what another version made is dropped, and filled again by the caller.
                guard try Int.fetchOne(database, sql: "PRAGMA user_version") != schemaVersion else { return }
                try database.execute(sql: schema)
                try database.execute(sql: "PRAGMA user_version = \(schemaVersion)")
            }
            return queue
        }
    }

    /// Shards that have been taken in.
    func shards() throws(CorpusError) -> Set<String> {
        try Self.explained(path) { try writer.read { Set(try String.fetchAll($0, sql: "SELECT digest FROM shard")) } }
    }

    /// Takes in a shard's rows in one transaction; a sample that is there already keeps its place.
    func add(_ shard: borrowing ShardReader, scoring: any TraceScoring) throws(CorpusError) {
        let traces = try shard.traces()
        let (digest, ids, manifests) = (shard.digest.hex, shard.ids, shard.manifests)
        try Self.explained(path) {
            try writer.write { database in
                let insert = try database.makeStatement(
                    sql: "INSERT OR IGNORE INTO samples VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
                for row in ids.indices {
                    guard let manifest = try? JSONDecoder().decode(Manifest.self, from: manifests[row]) else {
                        throw CorpusError(.damaged, digest, "the manifest of sample \(ids[row]) cannot be understood")
                    }
                    let trace = traces[row]
                    let score = scoring.scores(
                        timesteps: trace.timesteps, deltaSquared: trace.deltaSquared, schedule: manifest.schedule)
                    let values: [(any DatabaseValueConvertible)?] = [
                        ids[row].hex, manifest.recipe_sha256.hex, manifest.prompt, Self.seed(manifest.seed),
                        manifest.model,
                        manifest.adapter, manifest.sampler, manifest.steps, manifest.guidance, manifest.width,
                        manifest.height, manifest.tag, score.mi, score.standardError, score.reference,
                        manifest.latent_shape.map(String.init).joined(separator: "x"), digest, row,
                    ]
                    try insert.execute(arguments: StatementArguments(values))
                }
                try database.execute(
                    sql: "INSERT OR IGNORE INTO shard VALUES (?, ?)", arguments: [digest, ids.count])
            }
        }
    }

    /// A number where SQLite has one that large; texts sort after all numbers, as the larger seeds should.
    private static func seed(_ text: String) -> any DatabaseValueConvertible {
        if let number = Int64(text) { return number }
        return text
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

private let schemaVersion = 2

private let schema = """
    DROP TABLE IF EXISTS samples;
    DROP TABLE IF EXISTS shard;
    CREATE TABLE samples (
      id TEXT PRIMARY KEY, recipe TEXT NOT NULL, prompt TEXT NOT NULL, seed NOT NULL, model TEXT NOT NULL,
      adapter TEXT, sampler TEXT NOT NULL, steps INTEGER NOT NULL, guidance REAL NOT NULL, width INTEGER NOT NULL,
      height INTEGER NOT NULL, tag TEXT, mi REAL, mi_se REAL, mi_reference REAL, latent_shape TEXT NOT NULL,
      shard TEXT NOT NULL, row INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX samples_recipe ON samples(recipe);
    CREATE INDEX samples_prompt_mi ON samples(prompt, mi);
    CREATE TABLE shard (digest TEXT PRIMARY KEY, samples INTEGER NOT NULL) WITHOUT ROWID;
    """
