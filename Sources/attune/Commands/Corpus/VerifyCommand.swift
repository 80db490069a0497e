import ArgumentParser
import CorpusStore
import Foundation
import Workflows

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every byte of a corpus; exit with 2 if any is damaged.",
        discussion: """
            Shards, selections, checkpoints and adapters are compared with the digests that name them, names and logs \
            with their checksums, and everything that something refers to must be there. With --repair, what another \
            copy still has is fetched, and what is damaged is moved to quarantine/, never deleted.
            """)

    @OptionGroup var store: CorpusOptions

    @Option(help: "Read only a random share of the large files, such as 5%, another one each time.")
    var sample: Fraction?

    @Option(help: "Read only what was written since a day or an age, such as 2026-11-01, 7d or 12h.")
    var since: Moment?

    @Flag(help: "Repair what can be repaired.")
    var repair = false

    @Option(help: "Another corpus, or what `pull` takes, that may have what is damaged here.")
    var from: String?

    @OptionGroup var registry: RegistryOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if from != nil, !repair { throw ValidationError("--from requires --repair") }
        if repair, sample != nil || since != nil { throw ValidationError("--repair looks at everything") }
    }

    func run() async throws {
        let corpus = try store.open(writing: repair)
        let job = job(corpus)
        let bar = MaintenanceBar("verify", unit: "MiB", stopped: "stopped before everything was read")
        let (report, outcomes) = try await job.run(corpus) { done, total in
            let unit = Int64(1 << 20)
            let whole = Int((total + unit - 1) / unit)
            bar.update(done == total ? whole : Int(done / unit), whole)
        } willRepair: {
            bar.finish()
            Interruption.listen(false)
        }
        bar.finish()
        if output.json {
            print(try jsonText(VerifyListing(report, outcomes)))
        } else {
            VerifyListing.lines(report, outcomes).forEach { print(joinedLines($0)) }
        }
        if !report.damage.isEmpty { throw ExitStatus.damaged.code }
    }

    private func job(_ corpus: Corpus) -> VerifyJob {
        var job = VerifyJob(options: VerifyOptions(share: sample?.value ?? 1, since: since?.date))
        if repair { job.repairer = Repairer(corpus: corpus, registry: registry.access, inspection: .byThisCommand) }
        job.source = from
        return job
    }
}
