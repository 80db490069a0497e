package import CorpusStore

/// What `attune annotate --score` does: keeps an estimate from stored measurements as an annotation, so that it can be asked
/// for, ranked by and trained on like a column.
package struct ScoreAnnotationJob: Sendable {
    package let score: ScoreForm
    package let scorer: String
    /// Nil for all samples.
    package var condition: String?

    package init(_ score: ScoreForm, scorer: String) { (self.score, self.scorer) = (score, scorer) }

    /// - Returns: how many samples have a value, how many that fit have none, and the revision that it became; nil if the
    ///   corpus has it already.
    /// - Throws: ``Failure`` where no sample fits, or none has a value; ``CorpusError``.
    package func run(in corpus: Corpus) throws -> (samples: Int, missing: Int, revision: Int?) {
        let rows = try corpus.query(CatalogueQuery(condition: condition))
        guard !rows.isEmpty else { throw Failure("no sample fits: see what there is with attune query") }
        let values = try score.values(of: rows, in: corpus)
        if values.isEmpty, let problem = score.lack(of: values, in: rows) { throw problem }
        let annotations = rows.compactMap { row in
            values[row.id].map { AnnotationValue(sample: row.id, value: $0) }
        }
        return (
            annotations.count, rows.count - annotations.count,
            try corpus.annotate(annotations, by: scorer, from: score.text)
        )
    }
}
