package import CorpusStore

/// A scorer as listings print it.
package struct ScorerListing: Encodable {
    let scorer: String
    let samples: Int
    let lowest, mean, highest: Double
    let revision: Int
    let source: String

    private init(_ summary: ScorerSummary) {
        (scorer, samples) = (summary.scorer, summary.samples)
        (lowest, mean, highest) = (summary.lowest, summary.mean, summary.highest)
        (revision, source) = (summary.revision, summary.source)
    }

    package static func all(_ corpus: Corpus) throws(CorpusError) -> [ScorerListing] {
        try corpus.annotationSummaries().map { ScorerListing($0) }
    }

    package static func table(_ listings: [ScorerListing]) -> Table {
        Table(
            columns: ["scorer", "samples", "lowest", "mean", "highest", "revision", "source"],
            rows: listings.map {
                [
                    $0.scorer, String($0.samples), formatted($0.lowest, digits: 3), formatted($0.mean, digits: 3),
                    formatted($0.highest, digits: 3), String($0.revision), $0.source,
                ]
            })
    }
}
