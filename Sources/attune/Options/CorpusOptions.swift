import ArgumentParser
import CorpusStore
import Foundation
import Workflows

/// `--corpus`, or the environment variable ATTUNE_CORPUS in its place.
struct CorpusOptions: ParsableArguments {
    @Option(
        name: .long, help: "The corpus's folder (default: the environment variable ATTUNE_CORPUS).",
        completion: .directory)
    var corpus: String?

    /// The folder, once it is known that there is one.
    var folder: URL {
        get throws {
            guard let path = corpus ?? ProcessInfo.processInfo.environment["ATTUNE_CORPUS"], !path.isEmpty else {
                throw ValidationError("no corpus: give --corpus DIR or set ATTUNE_CORPUS")
            }
            return URL(fileURLWithPath: path, isDirectory: true)
        }
    }

    /// - Parameters:
    ///   - writing: whether the command changes the corpus; one that may only be read is then refused at once. One that only
    ///     looks, as a trial run does, leaves even the leftovers of dead processes.
    ///   - deciding: whether what the catalogue lacks changes what the command does. Shards that cannot be read are then an
    ///     error; otherwise they are a warning.
    func open(writing: Bool = false, deciding: Bool = false) throws -> Corpus {
        try Corpus.open(folder, writing: writing, deciding: deciding, warn: standardError)
    }
}
