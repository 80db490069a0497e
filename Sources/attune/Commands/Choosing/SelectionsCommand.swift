import ArgumentParser
import Workflows

struct SelectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selections", abstract: "List the selections of a corpus, or the history of one name.")

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A selection's name: lists every selection that it has stood for, oldest first.")
    var name: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open()
        if let name {
            let history = try SelectionHistory(name, in: corpus)
            print(output.json ? try jsonText(history) : history.table.text)
        } else {
            let listings = try SelectionListing.all(corpus)
            print(output.json ? try jsonText(listings) : SelectionListing.table(listings).text)
        }
    }
}
