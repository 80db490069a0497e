import ArgumentParser
import Workflows

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Fill a corpus with candidates, scored by mutual information as they are made.",
        discussion: """
            Candidate i of every prompt uses seed + i. What is already present is skipped, so the same command \
            resumes after a stop, and any number of processes may fill one corpus. At --guidance 1 and below there is no \
            guidance: the model is asked once per step, under the prompt, and the trace has no values (attune score \
            measures such images). With a negative prompt the model is asked three times per step, so that the score \
            still compares with the empty prompt; --mi-negative saves the third. docs/models.md says which models and \
            samplers are followed.
            """)

    @OptionGroup var store: CorpusOptions

    @OptionGroup var candidates: CandidateOptions

    @Option(help: "Batch size: images that are made together and sealed as one shard.")
    var batch = 16

    @Option(help: "A name for what this command makes, for queries.")
    var tag: String?

    @Flag(help: "Make again what another kind of device, or another version of PyTorch, has made (see --device).")
    var sameEngine = false

    @OptionGroup var partition: PartOption

    @OptionGroup var stop: StopOptions

    @OptionGroup var output: OutputOptions

    func validate() throws { try requirePositive(batch, "--batch", Bounds.batch) }

    func run() async throws {
        let part = try partition.resolved()
        stop.begin()
        let corpus = try store.open(writing: true, deciding: true)
        var job = candidates.job
        (job.part, job.batch, job.tag, job.array) = (part, batch, tag, partition.array)
        job.sameEngine = sameEngine
        let outcome = try TerminalMonitor.watch("generate", unit: "images") { [job] in
            try job.run(into: corpus, monitor: $0)
        }
        guard outcome.isFinished else {
            try Interruption.stop("stopped; \(outcome.made) images are sealed, the same command makes the rest")
        }
        let line = "\(outcome.made) images made, \(outcome.skipped) already present"
        try output.print(
            WorkReport(outcome), [line, outcome.forwards?.text].compactMap(\.self).joined(separator: "\n"))
        if outcome.failed > 0 {
            throw Failure(
                "\(outcome.failed) of \(outcome.total) images came out with values that are not finite numbers; the others are kept"
            )
        }
    }
}
