import ArgumentParser
import CorpusStore
import Foundation
import Workflows

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Make a new, empty corpus.")

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try Corpus.create(at: store.folder, scoring: TraceScores())
        try output.print(["folder": corpus.folder.path], "made corpus \(corpus.folder.path)")
    }
}
