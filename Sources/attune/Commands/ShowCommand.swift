import ArgumentParser
import Corpus

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a selection: its policy, its history and its samples.")

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name, name~1 for the one before, or the first digits of its digest.")
    var name: String

    @Option(help: "The columns to show, separated by commas.")
    var columns = "id,prompt,seed,mi,mi_se"

    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        let selection: SelectionListing
        let samples: [SampleListing]
    }

    func run() async throws {
        let columns = try SampleColumns(columns)
        let corpus = try store.open()
        let listing = try SelectionListing(name, in: corpus)
        let rows = try SampleReader(corpus).rows(corpus.selection(meant: name).ids.map(\.hex))
        if output.json {
            print(try jsonText(Document(selection: listing, samples: rows.map(SampleListing.init))))
        } else {
            print("\(listing.name)  \(listing.samples) samples  \(listing.policy)\n\(listing.digest)")
            let earlier = listing.history.dropLast().map { "\($0.digest.prefix(12)) \($0.time)" }
            if !earlier.isEmpty { print("earlier: " + earlier.joined(separator: ", ")) }
            print("\n" + columns.table(rows).text)
        }
    }
}
