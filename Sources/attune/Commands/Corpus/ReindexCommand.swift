import ArgumentParser
import CorpusStore
import Workflows

struct ReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex", abstract: "Rebuild the catalogue from the shards.",
        discussion: """
            The catalogue holds nothing that the shards do not. A damaged shard is named and left out, and the command \
            exits with 2.
            """)

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let bar = MaintenanceBar("reindex", unit: "shards", stopped: "stopped; the catalogue is as it was")
        let (corpus, unreadable) = try Corpus.reindex(at: store.folder, scoring: TraceScores()) { bar.update($0, $1) }
        bar.finish()
        let summary = try corpus.summary()
        try output.print(
            Summary(
                samples: summary.samples, prompts: summary.prompts, shards: summary.shards,
                unreadable: unreadable.map { joinedLines($0.description) }),
            "\(summary.samples) samples of \(summary.prompts) prompts from \(summary.shards) shards")
        guard unreadable.isEmpty else {
            unreadable.forEach { standardError("attune: " + joinedLines($0.description)) }
            throw ExitStatus.damaged.code
        }
    }

    private struct Summary: Encodable {
        let samples, prompts, shards: Int
        /// Files that were left out, and why.
        let unreadable: [String]
    }
}
