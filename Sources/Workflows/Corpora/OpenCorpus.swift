package import CorpusStore
package import Foundation

extension Corpus {
    /// Opens a corpus whose traces the estimators of ``TraceScores`` turn into scores.
    ///
    /// - Parameters:
    ///   - writing: whether the work changes the corpus; one that may only be read is then refused at once. Work that only
    ///     looks, as a trial run does, leaves even the leftovers of dead processes.
    ///   - deciding: whether what the catalogue lacks changes what the work does. Shards that cannot be read are then an
    ///     error; otherwise they are a warning.
    ///   - warn: takes the warning.
    /// - Throws: ``CorpusError``. Untyped, as Swift 6.3.1 miscompiles async callers that inline the typed form.
    package static func open(
        _ folder: URL, writing: Bool = false, deciding: Bool = false, warn: (String) -> Void = { _ in }
    ) throws -> Corpus {
        let corpus = try Corpus(at: folder, scoring: TraceScores(), sweeping: writing || !deciding)
        if writing { try corpus.requireWritable() }
        if deciding { try corpus.requireReadable(corpus.unreadable) }
        if let first = corpus.unreadable.first {
            let what = counted(corpus.unreadable.count, "file or folder", plural: "files and folders")
            warn(
                "warning: \(what) of the corpus cannot be read, and the samples there are left out, as in "
                    + joinedLines("\(first); run attune verify"))
        }
        return corpus
    }
}
