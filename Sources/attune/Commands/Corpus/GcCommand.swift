import ArgumentParser
import CorpusStore
import Workflows

struct GcCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Remove what nothing refers to.",
        discussion: """
            A selection is live when a name has it in its history, or when a run has read it. A sample is live when a \
            live selection has it, or when it fits a --keep condition; without --keep every sample is live. What is \
            younger than the grace period, or than the lease of a process that uses the corpus, is live too. Names, runs \
            and what is in quarantine are never touched. docs/safety.md has the rule in full.
            """)

    @OptionGroup var store: CorpusOptions

    @Option(
        help: "An SQL condition, as query takes: what fits none of these and is in no selection goes. May be repeated.")
    var keep: [String] = []

    @Flag(help: "Drop every sample that is in no live selection.")
    var keepNone = false

    @Option(help: "Leave alone what is younger, such as 14d, 12h or 0.")
    var grace = Age(seconds: GcOptions.defaultGrace)

    @Flag(help: "Only say what would go.")
    var dryRun = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if keepNone, !keep.isEmpty { throw ValidationError("--keep-none and --keep exclude each other") }
    }

    func run() async throws {
        let corpus = try store.open(writing: !dryRun, deciding: true)
        let bar = MaintenanceBar("gc", unit: "shards", stopped: "stopped; the same command does the rest")
        let options = GcOptions(keep: keepNone ? [] : keep.isEmpty ? nil : keep, grace: grace.seconds, isTrial: dryRun)
        let report = try corpus.gc(options) { bar.update($0, $1) }
        bar.finish()
        if output.json { return print(try jsonText(Listing(report))) }
        if dryRun {
            report.selections.forEach { print("selection \($0)") }
            report.samples.forEach { print("sample \($0)") }
        }
        print(
            "\(counted(report.samples.count, "sample")), \(counted(report.selections.count, "selection")), "
                + "\(counted(report.shards.count, "shard")) and \(counted(report.unfinished, "unfinished write")) "
                + "\(dryRun ? "would go" : "removed"): \(ByteSize(bytes: Int(max(report.bytes, 0))).description)")
    }

    private struct Listing: Encodable {
        let samples, selections, shards: [String]
        let unfinished: Int
        let bytes: Int64

        init(_ report: GcReport) {
            (samples, selections) = (report.samples.map(\.hex), report.selections.map(\.hex))
            (shards, unfinished, bytes) = (report.shards.map(\.hex), report.unfinished, report.bytes)
        }
    }
}
