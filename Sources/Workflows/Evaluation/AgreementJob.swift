package import CorpusStore
package import Statistics

/// What `attune evaluate --where` does: how well scores of stored images rank as a referee does.
package struct AgreementJob: Sendable {
    package let referee: Referee
    /// Empty for all that all images have.
    package let scores: [ScoreForm]
    /// An SQL condition as `CatalogueQuery` takes it; nil for every sample.
    package var condition: String?
    /// Whether to measure too how well parts of the measurements rank, by what they cost.
    package var measuresCosts = false
    var bootstrap = Bootstrap()
    /// Of the bootstrap.
    package var resamples: Int {
        get { bootstrap.resamples }
        set { bootstrap.resamples = newValue }
    }

    package struct Report: Codable, Sendable {
        package let referee: String
        package let images, prompts: Int
        /// The referee's mean over prompts.
        package let mean: MeanInterval?
        package let agreement: [Agreement]
        /// Only where it was asked for, and errors were measured.
        package var costs: [ScoreCost]?
    }

    package init(referee: Referee, scores: [ScoreForm]) { (self.referee, self.scores) = (referee, scores) }

    /// - Throws: ``Failure`` for images without a value, and where the referee tells no images of a prompt apart;
    ///   ``Interrupted``; ``CorpusError``.
    package func run(in corpus: Corpus, monitor: some WorkMonitor) throws -> Report {
        let rows = try corpus.query(CatalogueQuery(condition: condition))
        guard !rows.isEmpty else {
            throw Failure("no sample fits; nothing was evaluated: see what there is with attune query")
        }
        let verdicts = try referee.values(of: rows, in: corpus, monitor: monitor)
        var values: [String: [Digest: Double]] = [:]
        for score in scores { values[score.text] = try score.requiredValues(of: rows, in: corpus) }
        var names = scores.map(\.text)
        if names.isEmpty {
            for (name, found) in try ScoreForm.complete(for: rows, in: corpus) where name != referee.name {
                values[name] = found
                names.append(name)
            }
        }
        guard !names.isEmpty else {
            throw Failure(
                "no score: not one is there of all \(rows.count) images; measure some with attune score, or annotate")
        }
        let categories = PromptCategories(shapesOf: rows.map(\.prompt))
        let judged = JudgedImages(
            rows.compactMap { row in
                verdicts[row.id].map { verdict in
                    JudgedImages.Image(
                        group: row.prompt, prompt: row.prompt, category: categories[row.prompt], referee: verdict,
                        scores: values.compactMapValues { $0[row.id] })
                }
            })
        let agreement = judged.agreements(of: names, bootstrap)
        if agreement.isEmpty, let note = judged.note { throw Failure("\(referee.name): " + note) }
        var means = ByPrompt()
        for image in judged.images { means.add(image.prompt, image.referee) }
        var report = Report(
            referee: referee.name, images: rows.count, prompts: means.means.count, mean: means.mean(bootstrap),
            agreement: agreement)
        if measuresCosts { report.costs = try costs(of: rows, verdicts, in: corpus) }
        return report
    }

    private func costs(
        of rows: [CatalogueRow], _ verdicts: [Digest: Double], in corpus: Corpus
    ) throws -> [ScoreCost]? {
        try ScoreCosts(rows, in: corpus)?.measure { name, values in
            let judged = JudgedImages(
                rows.compactMap { row in
                    verdicts[row.id].map { verdict in
                        JudgedImages.Image(
                            group: row.prompt, prompt: row.prompt, category: nil, referee: verdict,
                            scores: values[row.id].map { [name: $0] } ?? [:])
                    }
                })
            return judged.agreements(of: [name], bootstrap).first?.auc
        }
    }
}
