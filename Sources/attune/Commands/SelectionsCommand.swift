import ArgumentParser
import Corpus

struct SelectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selections", abstract: "List the selections of a corpus.")

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let listings = try SelectionListing.all(store.open())
        print(output.json ? try jsonText(listings) : SelectionListing.table(listings).text)
    }
}
