package import CorpusStore

/// A selection with its samples, as `show` prints it.
package struct SelectionContents: Encodable {
    private let selection: SelectionListing
    private let samples: [SampleListing]
    private let rows: [CatalogueRow]
    private let annotations: [Digest: [String: Double]]
    private let columns: SampleColumns

    private enum CodingKeys: String, CodingKey {
        case selection, samples
    }

    /// - Parameters:
    ///   - name: a name, `name~1`, or the first digits of a digest.
    ///   - columns: to show in ``text``, separated by commas.
    /// - Throws: ``UsageError`` for a column that is none, ``CorpusError`` for what is not there.
    package init(_ name: String, in corpus: Corpus, columns: String) throws {
        let known = try SampleAnnotations(corpus)
        self.columns = try SampleColumns(columns, scorers: known.scorers)
        selection = try SelectionListing(name, in: corpus)
        rows = try SampleReader(corpus).rows(corpus.selection(meant: name).ids)
        annotations = try known.values(rows)
        samples = rows.map { [annotations] in SampleListing($0, annotations[$0.id] ?? [:]) }
    }

    package var text: String {
        var text = "\(selection.name)  \(selection.samples) samples  \(selection.policy)\n\(selection.digest)"
        let earlier = selection.history.dropLast().map { "\($0.digest.prefix(12)) \($0.time)" }
        if !earlier.isEmpty { text += "\nearlier: " + earlier.joined(separator: ", ") }
        return text + "\n\n" + columns.table(rows, annotations).text
    }
}
