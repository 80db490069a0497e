package import CorpusStore
import Foundation

/// Lists samples as they come, as a table or as a JSON array: memory holds a batch of them, however many there are.
package struct SampleListings {
    /// The first batch, from which a table takes its widths, is small, so that a reader sees something at once.
    private static let firstBatch = 200
    private static let batch = 2000
    /// Of a table, unless others are named.
    package static let usualColumns = "id,prompt,seed,mi,mi_se,tag"

    private let annotations: SampleAnnotations
    /// Nil for all that JSON has.
    private let columns: SampleColumns?
    private let isJSON: Bool
    private var layout: TableLayout?
    private var waiting: [CatalogueRow] = []
    private var listed = 0
    private let encoder = JSONEncoder()
    private let write: (String) -> Void
    private let flush: () throws(CorpusError) -> Void

    /// - Parameters:
    ///   - columns: nil for all that JSON has.
    ///   - isJSON: whether to write a JSON array in place of a table.
    ///   - write: takes text as it is, with its line ends.
    ///   - flush: called between batches; what it throws ends the listing.
    init(
        _ annotations: SampleAnnotations, columns: SampleColumns?, isJSON: Bool, write: @escaping (String) -> Void,
        flush: @escaping () throws(CorpusError) -> Void = {}
    ) {
        (self.annotations, self.columns, self.isJSON, self.write, self.flush) = (
            annotations, columns, isJSON, write, flush
        )
        // The names are those of the columns already.
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    }

    /// Takes a row.
    ///
    /// - Throws: ``CorpusError``, also that of `flush`.
    mutating func add(_ row: CatalogueRow) throws(CorpusError) {
        waiting.append(row)
        guard waiting.count >= (listed == 0 ? Self.firstBatch : Self.batch) else { return }
        try writeWaiting()
        try flush()
    }

    /// Writes what is left.
    mutating func finish() throws(CorpusError) {
        try writeWaiting()
        if isJSON { write(listed == 0 ? "[]\n" : "\n]\n") }
    }

    private mutating func writeWaiting() throws(CorpusError) {
        if let columns, !isJSON {
            let table = columns.table(waiting, try annotations.values(waiting))
            let known = layout ?? TableLayout(columns: table.columns, sample: table.rows)
            if layout == nil { write(known.line(table.columns) + "\n") }
            layout = known
            for row in table.rows { write(known.line(row) + "\n") }
        } else if !waiting.isEmpty {
            let text: String
            do {
                text = String(
                    decoding: try encoder.encode(annotations.listings(waiting, chosen: columns.map { Set($0.names) })),
                    as: UTF8.self)
            } catch let error as CorpusError {
                throw error
            } catch {
                throw CorpusError(.damaged, "the catalogue", "holds a value that JSON has no form for: \(error)")
            }
            // An array of its own: its brackets go, and a comma stands between it and the one before.
            write((listed == 0 ? "[" : ",") + text.dropFirst().dropLast(2))
        }
        listed += waiting.count
        waiting.removeAll(keepingCapacity: true)
    }

    /// Lists what fits a query.
    ///
    /// - Parameters:
    ///   - columns: separated by commas; nil for all in JSON, and for the usual ones in a table.
    ///   - isJSON: whether to write a JSON array in place of a table.
    ///   - write: takes text as it is, with its line ends.
    ///   - flush: called between batches; what it throws ends the listing.
    /// - Throws: ``UsageError`` for a column that is none; ``CorpusError``, also that of `flush`.
    package static func list(
        _ query: CatalogueQuery, of corpus: Corpus, columns: String?, isJSON: Bool, write: @escaping (String) -> Void,
        flush: @escaping () throws(CorpusError) -> Void = {}
    ) throws {
        let annotations = try SampleAnnotations(corpus)
        let names = columns ?? (isJSON ? nil : usualColumns)
        let columns = try names.map { (names) throws(UsageError) in
            try SampleColumns(names, scorers: annotations.scorers)
        }
        var listings = SampleListings(annotations, columns: columns, isJSON: isJSON, write: write, flush: flush)
        try corpus.forEach(query) { (row) throws(CorpusError) in try listings.add(row) }
        try listings.finish()
    }
}
