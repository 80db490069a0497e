import ArgumentParser
import Corpus
import Tuning

struct ReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex", abstract: "Derive the catalogue again from the shards.",
        discussion: """
            The catalogue holds nothing that the shards do not. A damaged shard is named and left out, and the command \
            exits with 2.
            """)

    @OptionGroup var store: CorpusOptions

    func run() async throws {
        var bar: ProgressBar?
        let begin = ContinuousClock.now
        let (corpus, unreadable) = try Corpus.reindex(at: store.folder, scoring: TraceScores()) { done, total in
            if bar == nil {
                bar = ProgressBar("reindex", total: total, unit: "shards", since: begin)
                Interruption.listen()
            }
            bar?.update(done)
            Interruption.endIfRequested(bar, "stopped; the catalogue is as it was")
        }
        bar?.finish()
        let summary = try corpus.summary()
        print("\(summary.samples) samples of \(summary.prompts) prompts from \(summary.shards) shards")
        guard unreadable.isEmpty else {
            unreadable.forEach { standardError("attune: " + oneLine($0.description)) }
            throw ExitStatus.damaged.code
        }
    }
}
