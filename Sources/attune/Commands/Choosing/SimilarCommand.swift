import ArgumentParser
import CorpusStore
import Workflows

struct SimilarCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "similar", abstract: "List the samples that are most like one of them, or like an image file.")

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A sample's id, its first digits, or an image file.", completion: .file())
    var target: String

    @Option(name: .customLong("where"), help: "An SQL condition, as query takes.")
    var condition: String?

    @Option(help: "How samples are compared: phash, vectors, or the name of vectors.")
    var by = "phash"

    @Option(help: "How many to list.")
    var top = 20

    @OptionGroup var output: OutputOptions

    func validate() throws { try requirePositive(top, "--top", Bounds.top) }

    func run() async throws {
        let corpus = try store.open(deciding: true)
        var job = SimilarJob(target)
        (job.condition, job.method, job.top) = (condition, Nearness.Method(by), top)
        guard let matches = try job.run(in: corpus, monitor: TerminalMonitor.init) else {
            try Interruption.stop("stopped; the same command resumes after the prints that are made")
        }
        let table = Table(
            columns: ["distance", "id", "prompt"],
            rows: matches.map { [formatted($0.distance, digits: 3), $0.id.hex, $0.prompt] })
        print(output.json ? try jsonText(matches) : table.text)
    }
}
