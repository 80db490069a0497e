import Foundation
import GRDB

/// A corpus in a few figures.
package struct CatalogueSummary: Sendable {
    package let samples: Int
    package let prompts: Int
    package let shards: Int
    /// Samples that `score` has measured.
    package let scored: Int
    /// Digests of the models that made the samples, sorted.
    package let models: [String]
    package let tags: [String]
    /// Lowest, median and highest `mi`; nil where no sample has one.
    package let mi: [Double]?

    init(_ database: Database) throws {
        func count(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
        func names(_ column: String) throws -> [String] {
            // As bytes: GRDB would cut a text at U+0000.
            try Data.fetchAll(
                database,
                sql: """
                    SELECT DISTINCT CAST(\(column) AS BLOB) FROM origin WHERE \(column) IS NOT NULL ORDER BY 1
                    """
            ).map { String(decoding: $0, as: UTF8.self) }
        }
        samples = try count("SELECT count(*) FROM sample")
        prompts = try count("SELECT count(*) FROM prompt")
        shards = try count("SELECT count(*) FROM shard")
        scored = try count("SELECT count(DISTINCT sample) FROM score WHERE sample IN (SELECT id FROM sample)")
        (models, tags) = (try names("model"), try names("tag"))
        let known = try count("SELECT count(*) FROM sample WHERE mi IS NOT NULL")
        let places = [0, known / 2, known - 1]
        mi =
            known == 0
            ? nil
            : try places.compactMap {
                try Double.fetchOne(
                    database, sql: "SELECT mi FROM sample WHERE mi IS NOT NULL ORDER BY mi LIMIT 1 OFFSET \($0)")
            }
    }
}

extension Corpus {
    package func summary() throws(CorpusError) -> CatalogueSummary { try catalogue.summary() }

    /// Indexed shards that hold samples, sorted.
    package func sampleShards() throws(CorpusError) -> [Digest] { try catalogue.sampleShards() }
}
