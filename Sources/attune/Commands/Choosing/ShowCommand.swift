import ArgumentParser
import Workflows

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a selection: its policy, its history and its samples.")

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name, name~1 for the one before, or the first digits of its digest.")
    var name: String

    @Option(help: "The columns to show, separated by commas.")
    var columns = "id,prompt,seed,mi,mi_se"

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let contents = try SelectionContents(name, in: store.open(), columns: columns)
        print(output.json ? try jsonText(contents) : contents.text)
    }
}
