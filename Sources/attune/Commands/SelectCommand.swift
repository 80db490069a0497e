import ArgumentParser
import Corpus

struct SelectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select", abstract: "Give a name to the best samples of a corpus.",
        discussion: """
            A selection is an immutable list of sample ids with the policy that chose them. Selecting again under the \
            same name keeps the earlier ones in its history. The default is the paper's: the candidate of each prompt \
            with the highest mutual information.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name.")
    var name: String

    @Option(name: .customLong("where"), help: "An SQL condition, as query takes.")
    var condition: String?

    @Option(help: "What to rank by, largest first: a column, or random.")
    var by = Ranking.column("mi")

    @Option(help: "Keep so many of each prompt, or of the corpus with --per corpus.")
    var top = 1

    @Option(help: "Keep --top of each prompt, or of the corpus.")
    var per = Grouping.prompt

    @Flag(help: "Keep everything that fits, best first.")
    var all = false

    @OptionGroup var output: OutputOptions

    func validate() throws { try requirePositive(top, "--top") }

    func run() async throws {
        let corpus = try store.open()
        let selection = try corpus.resolve(
            CatalogueQuery(
                condition: condition, by: by.column, top: all ? nil : top, perPrompt: !all && per == .prompt))
        guard !selection.ids.isEmpty else {
            throw Failure("no sample fits; nothing was selected: see what there is with attune query")
        }
        try corpus.store(selection, as: name)
        print(
            output.json
                ? try jsonText(SelectionListing(name, in: corpus))
                : "\(name): \(selection.ids.count) samples, \(selection.digest.hex)")
    }
}
