import ArgumentParser
import Workflows

struct AnnotationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotations", abstract: "List the scorers whose scores were imported.")

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let listings = try ScorerListing.all(store.open())
        print(output.json ? try jsonText(listings) : ScorerListing.table(listings).text)
    }
}
