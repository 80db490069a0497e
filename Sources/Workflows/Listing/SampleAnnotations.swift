package import Corpus

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
    package func values(_ rows: [CatalogueRow]) throws(CorpusError) -> [String: [String: Double]] {
        guard !scorers.isEmpty else { return [:] }
        let found = try corpus.annotations(of: rows.compactMap { Digest(hex: $0.id) })
        return Dictionary(uniqueKeysWithValues: found.map { ($0.key.hex, $0.value) })
    }

    package func listings(_ rows: [CatalogueRow]) throws -> [SampleListing] {
        let values = try values(rows)
        return rows.map { SampleListing($0, values[$0.id] ?? [:]) }
    }
}
