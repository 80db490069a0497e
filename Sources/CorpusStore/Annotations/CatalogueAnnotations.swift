import Foundation
import GRDB

/// What a scorer has said so far.
package struct ScorerSummary: Sendable, Equatable {
    package let scorer: String
    /// Samples that have a value.
    package let samples: Int
    package let lowest, mean, highest: Double
    /// How often values were given, and where the last ones came from.
    package let revision: Int
    package let source: String
}

/// Annotations in the catalogue: of a sample's values by one scorer, the one of the latest revision.
extension Catalogue {
    /// The names of all scorers, sorted.
    func scorers() throws(CorpusError) -> [String] {
        try Self.explained(path) { try writer.read { try Self.scorers($0) } }
    }

    static func scorers(_ database: Database) throws -> [String] {
        try String.fetchAll(database, sql: "SELECT name FROM scorer ORDER BY name")
    }

    func annotationSummaries() throws(CorpusError) -> [ScorerSummary] {
        try Self.explained(path) {
            try writer.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT n.name, count(*), min(a.value), avg(a.value), max(a.value), f.revision, f.source
                        FROM scorer n JOIN annotation a ON a.scorer = n.key
                        JOIN annotation_file f ON f.shard = (SELECT shard FROM annotation_file WHERE scorer = n.key
                          ORDER BY revision DESC, shard DESC LIMIT 1)
                        GROUP BY n.key ORDER BY n.name
                        """
                ).map {
                    ScorerSummary(
                        scorer: $0[0], samples: $0[1], lowest: $0[2], mean: $0[3], highest: $0[4], revision: $0[5],
                        source: $0[6])
                }
            }
        }
    }

    /// The values of some samples by the names of their scorers.
    func annotations(of samples: [Digest]) throws(CorpusError) -> [Digest: [String: Double]] {
        try Self.explained(path) {
            try writer.read { database in
                let names = try Row.fetchAll(database, sql: "SELECT key, name FROM scorer")
                    .map { (key: $0[0] as Int64, name: $0[1] as String) }
                let find = try database.makeStatement(
                    sql: "SELECT value FROM annotation WHERE scorer = ? AND sample = ?")
                var found: [Digest: [String: Double]] = [:]
                for sample in samples {
                    for (key, name) in names {
                        let value = try Double.fetchOne(find, arguments: [key, Data(sample.raw)])
                        if let value { found[sample, default: [:]][name] = value }
                    }
                }
                return found
            }
        }
    }

    /// The last revision of a scorer; 0 before the first.
    func revision(of scorer: String) throws(CorpusError) -> Int {
        try Self.explained(path) {
            try writer.read { database in
                try Int.fetchOne(
                    database,
                    sql: """
                        SELECT max(f.revision) FROM annotation_file f JOIN scorer n ON n.key = f.scorer WHERE n.name = ?
                        """, arguments: [scorer]) ?? 0
            }
        }
    }
}

extension CatalogueFilling {
    /// Adds annotations, whether or not their samples have been seen.
    func add(_ shard: AnnotationShard) throws {
        guard try enter(shard.digest, shard.stamp, samples: 0) != nil else { return }
        let annotations = shard.annotations
        let file = Data(shard.digest.raw)
        try database.execute(sql: "INSERT OR IGNORE INTO scorer (name) VALUES (?)", arguments: [annotations.scorer])
        let scorer = try Int64.fetchOne(
            database, sql: "SELECT key FROM scorer WHERE name = ?", arguments: [annotations.scorer])
        try database.execute(
            sql: "INSERT OR IGNORE INTO annotation_file VALUES (?,?,?,?)",
            arguments: [file, scorer, annotations.revision, annotations.source])
        let insert = try database.makeStatement(
            sql: """
                INSERT INTO annotation VALUES (?,?,?,?,?) ON CONFLICT (scorer, sample)
                DO UPDATE SET value = excluded.value, revision = excluded.revision, shard = excluded.shard
                WHERE (excluded.revision, excluded.shard) > (revision, shard)
                """)
        for value in annotations.values {
            try insert.execute(arguments: [scorer, Data(value.sample.raw), value.value, annotations.revision, file])
        }
    }
}
