package import CorpusStore

/// What a selection is made of: a query, a file, or other selections.
package enum SelectionRequest: Sendable {
    case query(CatalogueQuery)
    /// A selection's document, of any corpus, or a list of sample ids; `-` is standard input.
    case file(String)
    /// Selections by name, by `name~1`, or by the first digits of a digest.
    case combination(SelectionPolicy.SetOperation, [String])

    /// Makes the selection and stores it under a name; the name's earlier ones stay in its history.
    ///
    /// - Throws: ``Failure`` where nothing fits or the file cannot be read, and ``CorpusError``.
    package func select(as name: String, in corpus: Corpus) throws -> Selection {
        let selection = try resolve(in: corpus)
        guard !selection.ids.isEmpty else {
            throw Failure("no sample fits; nothing was selected: see what there is with attune query")
        }
        try corpus.store(selection, as: name)
        return selection
    }

    private func resolve(in corpus: Corpus) throws -> Selection {
        switch self {
        case .query(let query): try corpus.resolve(query)
        case .file(let path): try corpus.selection(reading: try SelectionArgument.data(path), at: path)
        case .combination(let operation, let operands):
            Selection(operation, of: try operands.map { try corpus.selection(meant: $0) })
        }
    }
}
