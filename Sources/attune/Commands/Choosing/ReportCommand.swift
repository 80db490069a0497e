import ArgumentParser
import Foundation
import Workflows

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract:
            "Write what there is to see into one HTML file: candidates by a score, traces, losses, base against tuned.",
        discussion: """
            The file is self-contained: images are in it, plots have real text, light and dark follow the reader's setting. \
            Send it to a colleague as it is.
            """)

    @OptionGroup var store: CorpusOptions

    @Option(help: "The selection whose prompts are shown.")
    var selection: String?

    @Option(help: "The score that ranks samples: mi, another column of numbers, or a scorer's name.")
    var by = "mi"

    @Option(name: .customLong("run"), help: "The run whose losses are drawn.")
    var runName: String?

    @Option(
        parsing: .upToNextOption, help: "Two folders of attune sample, of the same prompts and seeds.",
        completion: .directory)
    var compare: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A file of attune evaluate, whose tables are shown; may be repeated.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var evaluation: [String] = []

    @Option(help: "The report's title (default: what it shows).")
    var title: String?

    @Option(help: "Prompts that are shown, at most.")
    var prompts = 20

    @Option(help: "Images per prompt, at most.")
    var columns = 16

    @Option(
        help: ArgumentHelp(
            "The file, or a folder in which it is called report.html; a report that is there is replaced.",
            valueName: "file"), completion: .file(extensions: ["html"]))
    var to: String

    @OptionGroup var output: OutputOptions

    func validate() throws {
        try requirePositive(prompts, "--prompts", Bounds.rowsOrColumns)
        try requirePositive(columns, "--columns", Bounds.rowsOrColumns)
        if selection == nil, runName == nil, compare.isEmpty, evaluation.isEmpty {
            throw ValidationError("nothing to show: give --selection, --run, --compare or --evaluation")
        }
        if !compare.isEmpty, compare.count != 2 {
            throw ValidationError("--compare takes two folders")
        }
    }

    func run() async throws {
        var job = ReportJob()
        (job.selection, job.score, job.run, job.title) = (selection, by, runName, title)
        (job.prompts, job.columns, job.author) = (prompts, columns, "attune \(attuneVersion)")
        job.evaluations = evaluation.map { URL(fileURLWithPath: $0) }
        let folders = compare.map { URL(fileURLWithPath: $0, isDirectory: true) }
        if folders.count == 2 { job.compared = (folders[0], folders[1]) }
        let written = try job.write(
            to: URL(fileURLWithPath: to), corpus: { try store.open() }, corpusFolder: { try store.folder })
        try output.print(["file": written.path], written.path)
    }
}
