import ArgumentParser
import Workflows

struct DuplicatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates", abstract: "Group near-duplicates: re-encoded, scaled, cropped, mirrored, recolored.",
        discussion: """
            Images are compared by perceptual hashes and thumbnails, which are made once and kept in the corpus; or \
            samples by the cosine of vectors (--by vectors, or a name that attune annotate --vectors gave). Each group \
            begins with its best sample; attune select --no-near-duplicates keeps just that.
            """)

    @OptionGroup var store: CorpusOptions

    @Option(name: .customLong("where"), help: "An SQL condition, as query takes.")
    var condition: String?

    @OptionGroup var nearness: NearnessOptions

    @Option(help: "The column that tells the best of a group, or random for the order of ids.")
    var rank: Ranking = .column("mi")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open(deciding: true)
        var job = DuplicatesJob()
        (job.condition, job.nearness, job.ranking) = (condition, nearness.nearness, rank.column)
        guard let listing = try job.run(in: corpus, monitor: TerminalMonitor.init) else {
            try Interruption.stop("stopped; the same command resumes after the prints that are made")
        }
        print(output.json ? try jsonText(listing) : listing.text)
    }
}

/// What makes samples near-duplicates.
struct NearnessOptions: ParsableArguments {
    @Option(help: "How samples are compared: phash, vectors, or the name of vectors.")
    var by = "phash"

    @Option(
        help:
            "The largest distance of near-duplicates (default: 0.21 for phash, where 1.4 is nothing in common; 0.05 for vectors, 1 less the cosine)."
    )
    var threshold: Double?

    func validate() throws {
        if let threshold, !(0...1.4).contains(threshold) {
            throw ValidationError("--threshold is \(threshold); it must be from 0 to 1.4")
        }
    }

    var nearness: Nearness { Nearness(Nearness.Method(by), threshold: threshold) }
}
