package import CorpusStore
package import Foundation
import Interchange

/// What `attune annotate` does: takes scores from elsewhere into a corpus, by sample id.
package struct AnnotationJob: Sendable {
    /// Scores as a JSON lines, CSV or JSON file has them.
    package let file: URL
    package let scorer: String
    /// Where the scores are; nil for the scorer's name, score, value or reward.
    package var column: String?
    /// The selection whose order the file counts in.
    package var selection: String?

    package init(file: URL, scorer: String) { (self.file, self.scorer) = (file, scorer) }

    /// - Returns: how many samples the file scores, and the revision that it became; nil if the corpus has it already.
    /// - Throws: what the file does wrong, ``CorpusError``.
    package func run(in corpus: Corpus) throws -> (samples: Int, revision: Int?) {
        let selection = try selection.map { try corpus.selection(named: $0).ids }
        let annotations = try AnnotationFile(file, scorer: scorer, selection: selection, column: column)
        return (
            annotations.values.count,
            try corpus.annotate(annotations.values, by: scorer, from: file.lastPathComponent)
        )
    }
}
