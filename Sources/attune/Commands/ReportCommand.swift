import ArgumentParser
import Foundation
import Workflows

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Draw what there is to see: candidates by MI, traces, losses, base against tuned.",
        discussion: """
            Writes candidates.png (every candidate of a prompt in order of MI, the selected one framed) and traces.svg \
            for a selection, loss.svg for a run, comparison.png for two folders that attune sample has filled.
            """)

    @OptionGroup var store: CorpusOptions

    @Option(help: "The selection whose prompts are drawn.")
    var selection: String?

    @Option(name: .customLong("run"), help: "The run whose loss is drawn.")
    var runName: String?

    @Option(
        parsing: .upToNextOption, help: "Two folders of attune sample, of the same prompts and seeds.",
        completion: .directory)
    var compare: [String] = []

    @Option(help: "Prompts on a sheet, at most.")
    var prompts = 20

    @Option(help: "Images per row, at most.")
    var columns = 16

    @Option(help: "The folder to write to; reports that are there are replaced.", completion: .directory)
    var to: String

    func validate() throws {
        try requirePositive(prompts, "--prompts", Bounds.rowsOrColumns)
        try requirePositive(columns, "--columns", Bounds.rowsOrColumns)
        if selection == nil, runName == nil, compare.isEmpty {
            throw ValidationError("nothing to draw: give --selection, --run or --compare")
        }
        if !compare.isEmpty, compare.count != 2 {
            throw ValidationError("--compare takes two folders")
        }
    }

    func run() async throws {
        var job = ReportJob()
        (job.selection, job.run, job.prompts, job.columns) = (selection, runName, prompts, columns)
        let folders = compare.map { URL(fileURLWithPath: $0, isDirectory: true) }
        if folders.count == 2 { job.compared = (folders[0], folders[1]) }
        let written = try job.write(
            to: URL(fileURLWithPath: to, isDirectory: true), corpus: { try store.open() },
            corpusFolder: { try store.folder })
        written.forEach { print($0.path) }
    }
}
