import CorpusStore

/// What a loss asks of each sample: the score of a scorer, or a measure of mutual information.
struct SampleScores {
    /// What scores are for, which decides what they may be.
    enum Use {
        /// The loss is multiplied by them.
        case weights
        /// Images are compared by them.
        case comparison
    }

    let name: String
    let use: Use
    private let corpus: Corpus

    init(_ name: String, for use: Use, in corpus: Corpus) { (self.name, self.use, self.corpus) = (name, use, corpus) }

    /// The scores of some samples by their ids.
    ///
    /// - Throws: ``TrainingSourceError`` for a name that stands for nothing, and a sample that has no score of use.
    func values(_ rows: [CatalogueRow]) throws(TrainingSourceError) -> [Digest: Float] {
        let scores = try scores(rows)
        var weights: [Digest: Float] = [:]
        for row in rows {
            guard let score = scores[row.id] else {
                throw TrainingSourceError(
                    "sample \(row.id) has no \(name), which the loss asks for; score it, or select where \(name) IS NOT NULL"
                )
            }
            guard score.isFinite else {
                throw TrainingSourceError(
                    "sample \(row.id) has a \(name) of \(score), which the loss cannot use; score it again, or select "
                        + "samples with finite values")
            }
            guard use == .comparison || score >= 0 else {
                throw TrainingSourceError(
                    "sample \(row.id) has a \(name) of \(score), and a weight is at least 0; select where \(name) >= 0")
            }
            weights[row.id] = Float(score)
        }
        return weights
    }

    /// Names the scores of samples by their ids: a resumed run must find the same ones.
    func identity(_ values: [Digest: Float]) -> String {
        let lines = values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        return "\(name) \(Digest(of: Array(lines.joined().utf8)).hex)"
    }

    private func scores(_ rows: [CatalogueRow]) throws(TrainingSourceError) -> [Digest: Double] {
        if let column = CatalogueRow.scores[name] {
            return Dictionary(rows.compactMap { row in row[keyPath: column].map { (row.id, $0) } }) { first, _ in first
            }
        }
        let scorers = try explained { () throws(CorpusError) in try corpus.scorers() }
        guard scorers.contains(name) else {
            let known = CatalogueRow.scores.keys.sorted() + scorers
            throw TrainingSourceError(
                "no scorer '\(name)' for the loss; there are \(known.joined(separator: ", "))")
        }
        let found = try explained { () throws(CorpusError) in
            try corpus.annotations(of: rows.map(\.id))
        }
        return found.compactMapValues { $0[name] }
    }
}
