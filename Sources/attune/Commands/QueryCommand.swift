import ArgumentParser
import Corpus

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "List the samples that fit a condition.",
        discussion: """
            The condition is SQL over these columns: \(CatalogueRow.columns.joined(separator: ", ")). It runs on a \
            connection that cannot write. Example: attune query "mi > 20 AND prompt LIKE '%star%'" --by mi --top 5
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "An SQL condition (default: every sample).")
    var condition: String?

    @Option(help: "The column to rank by, largest first.")
    var by: String?

    @OptionGroup var ranking: RankingOptions

    @Option(help: "The columns to show, separated by commas.")
    var columns = "id,prompt,seed,mi,mi_se,tag"

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let columns = try SampleColumns(columns)
        let rows = try store.open().query(
            CatalogueQuery(condition: condition, by: by, top: ranking.top, perPrompt: ranking.per == .prompt))
        print(output.json ? try jsonText(rows.map(SampleListing.init)) : columns.table(rows).text)
    }
}
