import ArgumentParser
import Corpus
import Tuning
import Foundation

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Make a new, empty corpus.")

    @OptionGroup var store: CorpusOptions

    func run() async throws {
        let corpus = try Corpus.create(at: store.folder, scoring: TraceScores())
        print("made corpus \(corpus.folder.path)")
    }
}
