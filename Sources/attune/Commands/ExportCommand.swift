import ArgumentParser
import Corpus
import Foundation
import Interchange

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a selection in a format that other programs read.",
        discussion: "The destination appears whole or not at all.")

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name.")
    var name: String

    @Option(help: "The format to write.")
    var format: ExportFormat

    @Option(help: "The folder to make.", completion: .directory)
    var to: String

    func run() async throws {
        let source = try SelectionSource(name, in: store.open())
        let destination = try ExportDestination(URL(fileURLWithPath: to, isDirectory: true))
        let bar = ProgressBar("export", total: source.ids.count, unit: "samples")
        try destination.fill { try format.exporter.write(source, into: $0) { bar.update($0) } }
        bar.finish()
        print("\(source.ids.count) samples in \(to)")
    }
}

extension ExportFormat: ExpressibleByArgument {}
