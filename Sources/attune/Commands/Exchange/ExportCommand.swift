import ArgumentParser
import Foundation
import Workflows

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a selection in a format that other programs read.",
        discussion: """
            imagefolder is for datasets.load_dataset, webdataset for WebDataset's loaders, kohya for sd-scripts, latents \
            (safetensors, with prompt embeddings) for a training loop of your own, t2i-compbench for its evaluators, \
            shard for another corpus. Stored PNG files are copied, not encoded again. The destination appears whole or \
            not at all; the same command resumes an export that was interrupted.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name.")
    var name: String

    @Option(help: "The format to write.")
    var format: ExportFormat

    @Option(help: "The folder to make.", completion: .directory)
    var to: String

    @OptionGroup var options: ExportOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open()
        let outcome = try TerminalMonitor.watch("export", unit: "samples") {
            try options.job(format).run(
                name, of: corpus, to: URL(fileURLWithPath: to, isDirectory: true), monitor: $0)
        }
        guard outcome.isFinished else { try Interruption.stop("stopped; the same command resumes the export") }
        try output.print(Written(samples: outcome.total, folder: to), "\(outcome.total) samples in \(to)")
    }

    private struct Written: Encodable {
        let samples: Int
        let folder: String
    }
}
