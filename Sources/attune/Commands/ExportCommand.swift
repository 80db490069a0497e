import ArgumentParser
import Corpus
import Foundation
import Interchange

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

    func run() async throws {
        let source = try SelectionSource(name, in: store.open())
        let destination = try ExportDestination(URL(fileURLWithPath: to, isDirectory: true))
        let exporter = try options.exporter(format, of: name)
        Interruption.listen()
        let bar = ProgressBar("export", total: source.count, unit: "samples")
        let isFinished = try Export(source, exporter)
            .run(to: destination, isCancelled: { Interruption.isRequested }) { bar.update($0) }
        bar.finish()
        guard isFinished else { try Interruption.stop("stopped; the same command resumes the export") }
        print("\(source.count) samples in \(to)")
    }
}
