import Foundation
import GRDB

/// How a column's values are distributed.
package struct ColumnDistribution: Sendable, Equatable {
    package let range: ClosedRange<Double>
    /// Samples in each of as many ranges of equal width.
    package let counts: [Int]
    /// Samples that have a value, and that have none.
    package let present, missing: Int
}

/// Samples of one origin.
package struct OriginCount: Sendable, Equatable {
    package let model: String
    package let adapter, tag: String?
    package let samples: Int
}

extension CatalogueBrowser {
    /// Columns that hold numbers that one can rank by, those of annotations included.
    package func scores() throws(CorpusError) -> [String] {
        let (own, scorers) = try columns()
        return own.filter { !Self.others.contains($0) } + scorers
    }

    /// Columns of texts, places and settings. What a later version adds is taken for a score.
    private static let others: Set<String> = [
        "id", "recipe", "prompt", "seed", "model", "adapter", "sampler", "steps", "width", "height", "tag", "mi_source",
        "mc_draws", "near_misses", "latent_shape", "shard", "row",
    ]

    /// - Returns: nil where no sample has a value.
    /// - Throws: ``CorpusError`` for what is not a column of numbers.
    package func distribution(of column: String, bins: Int) throws(CorpusError) -> ColumnDistribution? {
        guard try scores().contains(column) else {
            throw CorpusError(
                .badQuery, column, "is not a score; there are \(try scores().joined(separator: ", "))")
        }
        return try read(column) { database in
            let source = CatalogueSource(mentionedIn: [column], scorers: try Catalogue.scorers(database)).sql
            guard
                let ends = try Row.fetchOne(
                    database,
                    sql: "SELECT min(\"\(column)\"), max(\"\(column)\"), count(\"\(column)\"), count(*) FROM \(source)"),
                let low = ends[0] as Double?, let high = ends[1] as Double?
            else { return nil }
            let (present, all) = (ends[2] as Int, ends[3] as Int)
            var counts = [Int](repeating: 0, count: high > low ? bins : 1)
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT min(CAST((value - ?) / ? AS INTEGER), ?), count(*)
                    FROM (SELECT "\(column)" AS value FROM \(source)) WHERE value IS NOT NULL GROUP BY 1
                    """, arguments: [low, high > low ? (high - low) / Double(bins) : 1, counts.count - 1])
            while let row = try rows.next() {
                let place = row[0] as Int
                if counts.indices.contains(place) { counts[place] += row[1] as Int }
            }
            return ColumnDistribution(range: low...high, counts: counts, present: present, missing: all - present)
        }
    }

    /// What made how many samples, most first.
    package func origins() throws(CorpusError) -> [OriginCount] {
        try read("models") { database in
            func text(_ value: Data?) -> String? { value.map { String(decoding: $0, as: UTF8.self) } }
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT CAST(o.model AS BLOB), CAST(o.adapter AS BLOB), CAST(o.tag AS BLOB), sum(n) FROM
                      (SELECT origin, count(*) AS n FROM sample GROUP BY origin) c JOIN origin o ON o.key = c.origin
                    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
                    """
            ).map { row in
                OriginCount(model: text(row[0]) ?? "", adapter: text(row[1]), tag: text(row[2]), samples: row[3])
            }
        }
    }

    /// Bytes of all sealed files that the catalogue knows.
    package func sealedBytes() throws(CorpusError) -> Int {
        try read("shards") { try Int.fetchOne($0, sql: "SELECT sum(size) FROM shard") ?? 0 }
    }
}
