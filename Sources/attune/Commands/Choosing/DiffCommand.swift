import ArgumentParser
import Workflows

struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Compare two selections.",
        discussion: """
            Each is a name, name~1 for what the name stood for before (name~2 and so on), the first digits of a digest, \
            or a file: a selection's document, also of another corpus, or a list of ids. Example: attune diff best~1 best
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A selection.")
    var a: String

    @Argument(help: "Another selection.")
    var b: String

    @Option(help: "The columns to show of samples that only one has, separated by commas.")
    var columns = "id,prompt,seed,mi"

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let comparison = try SelectionComparison(a, b, in: store.open(), columns: columns)
        print(output.json ? try jsonText(comparison) : try comparison.text())
    }
}
