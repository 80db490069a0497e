import Corpus
import Foundation

/// Prints samples as they come, as a table or as a JSON array: memory holds a batch of them, however many there are.
struct SampleListings {
    /// The first batch, from which a table takes its widths, is small, so that a reader sees something at once.
    private static let firstBatch = 200
    private static let batch = 2000

    private let annotations: SampleAnnotations
    /// Nil for JSON.
    private let columns: SampleColumns?
    private var layout: TableLayout?
    private var waiting: [CatalogueRow] = []
    private var printed = 0
    private let encoder = JSONEncoder()

    /// - Parameter columns: of a table; nil for JSON.
    init(_ annotations: SampleAnnotations, columns: SampleColumns?) {
        (self.annotations, self.columns) = (annotations, columns)
        // The names are those of the columns already.
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    }

    /// Takes a row.
    ///
    /// - Throws: ``CorpusError``, also where standard output takes no more.
    mutating func add(_ row: CatalogueRow) throws(CorpusError) {
        waiting.append(row)
        guard waiting.count >= (printed == 0 ? Self.firstBatch : Self.batch) else { return }
        try printWaiting()
        let failure = StandardOutput.flush()
        guard failure == 0 else {
            throw CorpusError(.io, "standard output", "cannot be written (\(String(cString: strerror(failure))))")
        }
    }

    /// Prints what is left.
    mutating func finish() throws(CorpusError) {
        try printWaiting()
        if columns == nil { print(printed == 0 ? "[]" : "\n]") }
    }

    private mutating func printWaiting() throws(CorpusError) {
        if let columns {
            let table = columns.table(waiting, try annotations.values(waiting))
            let known = layout ?? TableLayout(columns: table.columns, sample: table.rows)
            if layout == nil { print(known.line(table.columns)) }
            layout = known
            for row in table.rows { print(known.line(row)) }
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
            StandardOutput.write((printed == 0 ? "[" : ",") + text.dropFirst().dropLast(2))
        }
        printed += waiting.count
        waiting.removeAll(keepingCapacity: true)
    }
}
