import ArgumentParser
import Corpus
import Foundation
import OCI

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
    var sample: Share?

    @Option(help: "Read only what was written since a day or an age, such as 2026-11-01, 7d or 12h.")
    var since: Moment?

    @Flag(help: "Mend what can be mended.")
    var repair = false

    @Option(help: "Another corpus, or what `pull` takes, that may have what is damaged here.")
    var from: String?

    @OptionGroup var registry: RegistryOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if from != nil, !repair { throw ValidationError("--from goes with --repair") }
        if repair, sample != nil || since != nil { throw ValidationError("--repair looks at everything") }
    }

    func run() async throws {
        let corpus = try store.open(writing: repair)
        var report = check(corpus)
        var outcomes: [RepairOutcome] = []
        if repair, !report.damage.isEmpty {
            Interruption.listen(false)
            outcomes = try await Repairer(corpus: corpus, registry: registry).run(report.damage, from: from)
            report = corpus.check()
        }
        if output.json {
            print(try jsonText(VerifyListing(report, outcomes)))
        } else {
            VerifyListing.lines(report, outcomes).forEach { print(oneLine($0)) }
        }
        if !report.damage.isEmpty { throw ExitStatus.damaged.code }
    }

    private func check(_ corpus: Corpus) -> VerifyReport {
        var bar: ProgressBar?
        let begin = ContinuousClock.now
        let options = VerifyOptions(share: sample?.value ?? 1, since: since?.date)
        let report = corpus.check(options) { done, total in
            let unit = Int64(1 << 20)
            let whole = Int((total + unit - 1) / unit)
            if bar == nil {
                bar = ProgressBar("verify", total: whole, unit: "MiB", since: begin)
                Interruption.listen()
            }
            bar?.update(done == total ? whole : Int(done / unit))
            Interruption.endIfRequested(bar, "stopped before everything was read")
        }
        bar?.finish()
        return report
    }
}
