import CorpusStore
import Foundation

/// What can be known to be wrong before an image is made, which may take hours.
extension EvaluationJob {
    /// - Parameter warn: told of a reference without images.
    /// - Throws: ``UsageError`` for a name that names no file; ``Failure`` for a referee or score that the corpus does not know, for
    ///   prompts that the shapes judge does not know, and for a name that stands for another evaluation; ``CorpusError`` for a
    ///   condition that is none.
    func check(_ texts: [String], in corpus: Corpus, warn: (String) -> Void) throws {
        try referee?.requireKnown(texts, from: prompts.lastPathComponent)
        if case .column(let column)? = referee { _ = try ScoreForm(column).values(of: [], in: corpus) }
        for score in scores { _ = try score.values(of: [], in: corpus) }
        if let name {
            try StoredEvaluations.check(name: name)
            if let known = try StoredEvaluations.report(named: name, in: corpus) {
                var images = EvaluatedImages()
                // The model's and the adapters' files are read later.
                (images.modelDigest, images.referee) = (known.settings.model, referee ?? usualReferee(texts))
                if known.settings.adapters.map(\.label) == adapters.map(\.label) {
                    images.adapters = known.settings.adapters
                }
                try StoredEvaluations.requireSame(settings(texts, images), as: known, called: name, in: corpus)
            }
        }
        // Images of this very evaluation may be meant.
        if let reference, try corpus.count(CatalogueQuery(condition: reference)) == 0 {
            warn("note: --reference \(reference): no sample fits so far")
        }
    }

    /// The shapes judge where the prompts are of its grammar.
    func usualReferee(_ texts: [String]) -> Referee? {
        PromptCategories(shapesOf: texts)[texts[0]] == nil ? nil : .shapes
    }
}
