import ArgumentParser
import Corpus

struct AnnotationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotations", abstract: "List the scorers whose scores were imported.")

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let listings = try store.open().annotationSummaries().map(ScorerListing.init)
        print(output.json ? try jsonText(listings) : ScorerListing.table(listings).text)
    }
}

/// A scorer as listings print it.
private struct ScorerListing: Encodable {
    let scorer: String
    let samples: Int
    let lowest, mean, highest: Double
    let revision: Int
    let source: String

    init(_ summary: ScorerSummary) {
        (scorer, samples) = (summary.scorer, summary.samples)
        (lowest, mean, highest) = (summary.lowest, summary.mean, summary.highest)
        (revision, source) = (summary.revision, summary.source)
    }

    static func table(_ listings: [ScorerListing]) -> Table {
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
