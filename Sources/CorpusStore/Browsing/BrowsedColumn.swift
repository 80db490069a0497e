import Foundation
import GRDB

/// What all samples that fit have in one column: what a drawing of all of them is colored by.
package struct BrowsedColumn: Sendable {
    package enum Values: Sendable, Equatable {
        /// Nil where a sample has none.
        case numbers([Double?])
        case texts([String?])
    }

    /// Keys of samples, which hold until the catalogue is rebuilt.
    package let keys: [Int64]
    package let samples: [Digest]
    package let values: Values
    /// Whether there are more than a listing may have.
    package let isCut: Bool
}

extension CatalogueBrowser {
    /// Columns that hold few different texts, which one can group by.
    package static let groupings = [
        "tag", "model", "adapter", "sampler", "prompt", "mi_source", "latent_shape", "shard",
    ]

    /// Characters of a text that are kept.
    private static let mostText = 200

    /// - Parameters:
    ///   - column: of ``CatalogueRow/columns``, or a scorer; nil for the samples alone, each with no number.
    ///   - condition: as after `attune query`; nil for all.
    ///   - prompts: keys of the prompts to which it is confined; nil for all.
    /// - Throws: ``CorpusError`` with the words of `attune query` for what cannot be understood.
    package func column(
        _ column: String?, where condition: String?, prompts: [Int64]? = nil
    ) throws(CorpusError) -> BrowsedColumn {
        let (own, scorers) = try columns()
        let known = own.filter { !["id", "recipe"].contains($0) } + scorers
        if let column, !known.contains(column) {
            throw CorpusError(
                .badQuery, column, "is not a column of numbers or kinds; there are \(known.joined(separator: ", "))")
        }
        let isText = column.map { Self.groupings.contains($0) } ?? false
        return try read(condition ?? column ?? "samples") { database in
            let source = CatalogueSource(
                mentionedIn: [condition, column], scorers: try Catalogue.scorers(database)
            ).sql
            let value = column.map { isText ? "CAST(substr(\"\($0)\", 1, \(Self.mostText)) AS BLOB)" : "\"\($0)\"" }
            let within = prompts.map { keys in
                " AND _prompt IN (SELECT value FROM json_each('[\(keys.map(String.init).joined(separator: ","))]'))"
            }
            let sql = """
                SELECT _sample, _id, \(value ?? "NULL") FROM \(source)
                WHERE (\(condition ?? "1")
                )\(within ?? "") LIMIT \(limits.samples + 1)
                """
            var (keys, samples): ([Int64], [Digest]) = ([], [])
            var (numbers, texts): ([Double?], [String?]) = ([], [])
            var isCut = false
            // The same few texts again and again.
            var known: [Data: String] = [:]
            try RawRows.forEach(database, sql) { row in
                isCut = keys.count == limits.samples
                guard !isCut, let id = row.digest(1) else { return }
                keys.append(row.integer(0))
                samples.append(id)
                guard isText else {
                    numbers.append(row.double(2).flatMap { $0.isFinite ? $0 : nil })
                    return
                }
                guard row.double(2) != nil else {
                    texts.append(nil)
                    return
                }
                let bytes = row.data(2)
                let text = known[bytes] ?? String(decoding: bytes, as: UTF8.self)
                known[bytes] = text
                texts.append(text)
            }
            return BrowsedColumn(
                keys: keys, samples: samples, values: isText ? .texts(texts) : .numbers(numbers), isCut: isCut)
        }
    }
}
