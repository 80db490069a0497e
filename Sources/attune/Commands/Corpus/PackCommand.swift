import ArgumentParser
import CorpusStore
import Workflows

struct PackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Merge small shards into large ones.",
        discussion: """
            Every sample keeps its id. What goes into a new shard is read back from the disk and compared before the old \
            ones go; others may generate, read and train meanwhile. Killed at any moment, it has lost nothing, and the \
            same command resumes.
            """)

    @OptionGroup var store: CorpusOptions

    @Option(help: "Bytes of samples that a shard should have; one with half of that stays as it is.")
    var size = ByteSize(bytes: Corpus.packedSize)

    @Flag(help: "Only say what would be merged.")
    var dryRun = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open(writing: !dryRun, deciding: true)
        let bar = MaintenanceBar("pack", unit: "shards", stopped: "stopped; the same command does the rest")
        let report = try corpus.pack(target: size.bytes, isTrial: dryRun) { bar.update($0, $1) }
        bar.finish()
        report.skipped.forEach { standardError("attune: left alone: " + joinedLines($0.description)) }
        if output.json { return print(try jsonText(Listing(report))) }
        let verb = dryRun ? "would be merged" : "merged into \(report.made.count)"
        var line = "\(counted(report.replaced, "shard")) \(verb)"
        if report.redundant > 0 {
            line += ", \(counted(report.redundant, "copy", plural: "copies")) \(dryRun ? "would go" : "removed")"
        }
        print(line)
    }

    private struct Listing: Encodable {
        let replaced, redundant: Int
        let made, skipped: [String]

        init(_ report: PackReport) {
            (replaced, redundant) = (report.replaced, report.redundant)
            (made, skipped) = (report.made.map(\.hex), report.skipped.map(\.description))
        }
    }
}
