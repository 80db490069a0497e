import ArgumentParser
import Corpus
import Foundation
import Tuning

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
        let folder = try ReportFolder(URL(fileURLWithPath: to, isDirectory: true))
        if let selection {
            let report = try SelectionReport(selection, in: store.open(), prompts: prompts, columns: columns)
            try folder.write(report.candidates(), as: "candidates.png")
            try folder.write(report.traces(), as: "traces.svg")
        }
        if let runName {
            try folder.write(try LossReport.plot(RunFolder(corpus: store.folder, name: runName)), as: "loss.svg")
        }
        if compare.count == 2 {
            let folders = compare.map { SampleFolder(existing: URL(fileURLWithPath: $0, isDirectory: true)) }
            let sheet = try ComparisonReport.sheet(folders[0], folders[1], prompts: prompts, columns: columns)
            try folder.write(sheet, as: "comparison.png")
        }
        folder.written.forEach { print($0.path) }
    }
}
