import ArgumentParser
import CorpusStore
import Workflows

struct SelectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select", abstract: "Give a name to the best samples of a corpus.",
        discussion: """
            A selection is an immutable list of sample ids with the policy that chose them. Selecting again under the \
            same name keeps the earlier ones in its history. The default is the paper's: the candidate of each prompt \
            with the highest mutual information.

            Selections also come from a file (--from) and from other selections: attune select all --union best more; \
            attune select rest --subtract all best. A selection is given by name, by name~1 for the one that the name \
            stood for before, or by the first digits of its digest.

            The options from --min-score to --split curate: of what fits they keep the best that differ, in the order of \
            docs/curation.md. With them, --top is only applied where it is given.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name.")
    var name: String

    @Option(name: .customLong("where"), help: "An SQL condition, as query takes.")
    var condition: String?

    @Option(help: "What to rank by, largest first: a column, or random (default: mi).")
    var by: Ranking?

    @Option(help: "Keep the top N per prompt, or of the corpus with --per corpus (default: 1).")
    var top: Int?

    @Option(help: "Keep --top of each prompt, or of the corpus (default: prompt).")
    var per: Grouping?

    @Flag(help: "Keep everything that fits, best first.")
    var all = false

    @OptionGroup var curation: CurationOptions

    @OptionGroup var sources: SelectionOriginOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let top { try requirePositive(top, "--top", Bounds.top) }
        let asks = condition != nil || by != nil || top != nil || per != nil || all
        if let source = try sources.name, asks || curation.isUsed {
            throw ValidationError(
                "\(source) takes a selection as it is: --where, --by, --top, --per and --all do not apply")
        }
        if all, top != nil || per != nil {
            throw ValidationError("--all keeps everything: --top and --per do not apply")
        }
    }

    func run() async throws {
        let corpus = try store.open(writing: true, deciding: true)
        if curation.isUsed {
            try curate(corpus)
            return
        }
        let selection = try (sources.request ?? .query(query)).select(as: name, in: corpus)
        print(
            output.json
                ? try jsonText(SelectionListing(name, in: corpus))
                : "\(name): \(selection.ids.count) samples, \(selection.digest.hex)")
    }

    private func curate(_ corpus: Corpus) throws {
        var job = try curation.job()
        (job.condition, job.by, job.top) = (condition, (by ?? .column("mi")).column, all ? nil : top)
        job.perPrompt = (per ?? .prompt) == .prompt
        guard let made = try job.select(as: name, in: corpus, monitor: TerminalMonitor.init) else {
            try Interruption.stop("stopped; nothing was selected")
        }
        let listings = try made.map { try SelectionListing($0.name, in: corpus) }
        guard !output.json else {
            print(listings.count == 1 ? try jsonText(listings[0]) : try jsonText(listings))
            return
        }
        for (name, selection) in made { print("\(name): \(selection.ids.count) samples, \(selection.digest.hex)") }
    }

    private var query: CatalogueQuery {
        CatalogueQuery(
            condition: condition, by: (by ?? .column("mi")).column, top: all ? nil : top ?? 1,
            perPrompt: !all && (per ?? .prompt) == .prompt)
    }
}
