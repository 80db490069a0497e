import DiskAccess
import Foundation
import GRDB

/// How rows follow their samples when shards are replaced.
extension Catalogue {
    /// What the catalogue knows of a shard.
    struct ShardEntry: Sendable {
        let digest: Digest
        /// Samples in the file, and how many rows point there; fewer where other shards hold the same samples.
        let samples, rows: Int
    }

    func inventory() throws(CorpusError) -> [ShardEntry] {
        try Self.explained(path) {
            try writer.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT digest, samples, (SELECT count(*) FROM sample WHERE shard = shard.key) FROM shard
                        ORDER BY digest
                        """
                ).map { ShardEntry(digest: Digest(raw: $0[0] as Data), samples: $0[1], rows: $0[2]) }
            }
        }
    }

    /// The samples whose rows point to a shard, or whose scores lie in it.
    func samples(of shard: Digest) throws(CorpusError) -> [Digest] {
        try Self.explained(path) {
            try writer.read { database in
                try Data.fetchAll(
                    database,
                    sql: """
                        SELECT id FROM sample WHERE shard = (SELECT key FROM shard WHERE digest = ?1)
                        UNION SELECT sample FROM score WHERE shard = ?1
                        """, arguments: [Data(shard.raw)]
                ).map { Digest(raw: $0) }
            }
        }
    }

    /// Points the rows of some shards at others, in one transaction. What none of the others has is forgotten, so that
    /// the catalogue says what it would say if it were made from the shards that stay.
    func replace(_ old: [Digest], with new: [PreparedShard]) throws(CorpusError) {
        try Self.explained(path) {
            try writer.write { database in
                let filling = try CatalogueFilling(database: database, isIndexed: true)
                for shard in new { try filling.add(shard) }
                for shard in old { try Self.retire(shard, for: new, filling) }
                try pass(.commit)
            }
            try pass(.committed)
        }
    }

    private static func retire(_ old: Digest, for new: [PreparedShard], _ filling: CatalogueFilling) throws {
        let database = filling.database
        guard
            let key = try Int64.fetchOne(
                database, sql: "SELECT key FROM shard WHERE digest = ?", arguments: [Data(old.raw)])
        else { return }
        let move = try database.makeStatement(sql: "UPDATE sample SET shard = ?, row = ? WHERE id = ? AND shard = ?")
        for case .samples(let shard) in new {
            let place = try Int64.fetchOne(
                database, sql: "SELECT key FROM shard WHERE digest = ?", arguments: [Data(shard.digest.raw)])
            for (index, row) in shard.rows.enumerated() {
                try move.execute(arguments: [place, index, Data(row.id.raw), key])
            }
        }
        let prompts = try Int64.fetchAll(
            database, sql: "SELECT DISTINCT prompt FROM sample WHERE shard = ?", arguments: [key])
        try database.execute(sql: "DELETE FROM sample WHERE shard = ?", arguments: [key])
        let forget = try database.makeStatement(
            sql: "DELETE FROM prompt WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM sample WHERE prompt = ?1)")
        for prompt in prompts { try forget.execute(arguments: [prompt]) }
        if !prompts.isEmpty {
            try database.execute(
                sql: "DELETE FROM origin WHERE NOT EXISTS (SELECT 1 FROM sample WHERE origin = origin.key)")
        }
        try database.execute(sql: "DELETE FROM shard WHERE key = ?", arguments: [key])
        try filling.dropScores(in: old)
        try forgetAnnotations(in: old, database)
        try forgetVectors(in: old, database)
    }

    /// Of a scorer whose file has gone, the other files say what counts now: they are indexed again at the next
    /// ``Corpus/catchUp()``.
    private static func forgetAnnotations(in old: Digest, _ database: Database) throws {
        let find = "SELECT scorer FROM annotation_file WHERE shard = ?"
        guard let scorer = try Int64.fetchOne(database, sql: find, arguments: [Data(old.raw)]) else { return }
        let own = "(SELECT shard FROM annotation_file WHERE scorer = \(scorer))"
        try database.execute(
            sql: """
                DELETE FROM folder WHERE prefix IN (SELECT lower(hex(substr(shard, 1, 1))) FROM annotation_file
                  WHERE scorer = \(scorer));
                DELETE FROM shard WHERE digest IN \(own);
                DELETE FROM annotation WHERE scorer = \(scorer);
                DELETE FROM annotation_file WHERE scorer = \(scorer);
                DELETE FROM scorer WHERE key = \(scorer);
                """)
    }
}

extension Catalogue {
    /// A point at which tests fail or kill the process.
    func pass(_ point: FaultPoint) throws(CorpusError) {
        try reported { () throws(DiskError) in try Faults.pass(point, path) }
    }
}
