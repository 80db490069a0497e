import ArgumentParser
import CorpusStore
import Foundation
import Workflows

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "List the samples that fit a condition.",
        discussion: """
            The condition is SQL over these columns: \(CatalogueRow.columns.joined(separator: ", ")). It runs on a \
            connection that cannot write. `mi` is the paper's estimate, `mi_reference` that of the authors' code, `mc…` \
            what `attune score` measured; each scorer of `attune annotations` is a column too. Example: attune query "mi > 20 AND prompt LIKE '%star%'" --by mi --top 5
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "An SQL condition (default: every sample).")
    var condition: String?

    @Option(help: "What to rank by, largest first: a column, or random.")
    var by: Ranking?

    @Option(help: "Keep the top N: in all, or per prompt with --per prompt.")
    var top: Int?

    @Option(help: "Keep --top of each prompt, or of the corpus.")
    var per = Grouping.corpus

    @Option(
        help:
            "The columns to show, separated by commas (default: \(SampleListings.usualColumns); with --json, all).")
    var columns: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let top { try requirePositive(top, "--top", Bounds.top) }
        if per == .prompt, top == nil { throw ValidationError("--per prompt needs --top") }
    }

    func run() async throws {
        let query = CatalogueQuery(condition: condition, by: by?.column, top: top, perPrompt: per == .prompt)
        try SampleListings.list(
            query, of: store.open(), columns: columns, isJSON: output.json, write: StandardOutput.write,
            flush: Self.flushOutput)
    }

    /// - Throws: ``CorpusError`` where standard output takes no more.
    private static func flushOutput() throws(CorpusError) {
        let failure = StandardOutput.flush()
        guard failure == 0 else {
            throw CorpusError(.io, "standard output", "cannot be written (\(String(cString: strerror(failure))))")
        }
    }
}
