package import CorpusStore

/// The annotations of listed samples, looked up only where a listing shows them.
package struct SampleAnnotations {
    /// The names of all scorers.
    package let scorers: [String]
    private let corpus: Corpus

    package init(_ corpus: Corpus) throws(CorpusError) {
        self.corpus = corpus
        scorers = try corpus.scorers()
    }

    /// Values by the samples' ids and the names of their scorers.
    package func values(_ rows: [CatalogueRow]) throws(CorpusError) -> [Digest: [String: Double]] {
        scorers.isEmpty ? [:] : try corpus.annotations(of: rows.map(\.id))
    }

    /// - Parameter chosen: the columns and scorers to print; nil for all.
    package func listings(_ rows: [CatalogueRow], chosen: Set<String>? = nil) throws -> [SampleListing] {
        let values = try values(rows)
        return rows.map { SampleListing($0, values[$0.id] ?? [:], chosen: chosen) }
    }
}
