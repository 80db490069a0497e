import ArgumentParser
import Corpus
import Tuning
import Foundation

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

    /// - Parameter writing: whether the command adds to the corpus; one that may only be read is then refused at once.
    func open(writing: Bool = false) throws -> Corpus {
        let corpus = try Corpus(at: folder, scoring: TraceScores())
        if writing { try corpus.requireWritable() }
        return corpus
    }
}
