package import CorpusStore
import Foundation

/// Lists samples as they come, as a table or as a JSON array: memory holds a batch of them, however many there are.
package struct SampleListings {
    /// The first batch, from which a table takes its widths, is small, so that a reader sees something at once.
    private static let firstBatch = 200
    private static let batch = 2000

    private let annotations: SampleAnnotations
    /// Nil for JSON.
    private let columns: SampleColumns?
    private var layout: TableLayout?
    private var waiting: [CatalogueRow] = []
    private var listed = 0
    private let encoder = JSONEncoder()
    private let write: (String) -> Void
    private let flush: () throws(CorpusError) -> Void

    /// - Parameters:
    ///   - columns: of a table; nil for JSON.
    ///   - write: takes text as it is, with its line ends.
    ///   - flush: called between batches; what it throws ends the listing.
    init(
        _ annotations: SampleAnnotations, columns: SampleColumns?, write: @escaping (String) -> Void,
        flush: @escaping () throws(CorpusError) -> Void = {}
    ) {
        (self.annotations, self.columns, self.write, self.flush) = (annotations, columns, write, flush)
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
        if columns == nil { write(listed == 0 ? "[]\n" : "\n]\n") }
    }

    private mutating func writeWaiting() throws(CorpusError) {
        if let columns {
            let table = columns.table(waiting, try annotations.values(waiting))
            let known = layout ?? TableLayout(columns: table.columns, sample: table.rows)
            if layout == nil { write(known.line(table.columns) + "\n") }
            layout = known
            for row in table.rows { write(known.line(row) + "\n") }
        } else if !waiting.isEmpty {
            let text: String
            do {
                text = String(decoding: try encoder.encode(annotations.listings(waiting)), as: UTF8.self)
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
    ///   - columns: of a table, separated by commas.
    ///   - isJSON: whether to write a JSON array with all columns in place of a table.
    ///   - write: takes text as it is, with its line ends.
    ///   - flush: called between batches; what it throws ends the listing.
    /// - Throws: ``UsageError`` for a column that is none; ``CorpusError``, also that of `flush`.
    package static func list(
        _ query: CatalogueQuery, of corpus: Corpus, columns: String, isJSON: Bool, write: @escaping (String) -> Void,
        flush: @escaping () throws(CorpusError) -> Void = {}
    ) throws {
        let annotations = try SampleAnnotations(corpus)
        let columns = try SampleColumns(columns, scorers: annotations.scorers)
        var listings = SampleListings(annotations, columns: isJSON ? nil : columns, write: write, flush: flush)
        try corpus.forEach(query) { (row) throws(CorpusError) in try listings.add(row) }
        try listings.finish()
    }
}
