import CorpusStore
package import Statistics

/// How well a score ranks, and how many passes of an image through the UNet it takes.
package struct ScoreCost: Codable, Sendable {
    /// As ``ScoreForm`` takes it.
    package let score: String
    /// What it is one of, with more and more measurements.
    package let series: String
    /// Passes of one image through the UNet that the score needs.
    package let forwards: Int
    package let auc: MeanInterval
}

/// Scores from parts of what was measured: fewer timesteps, draws and near misses. No pass is made again.
struct ScoreCosts {
    private let sets: [ScoreSet]
    private let rows: [CatalogueRow]
    /// What the largest measurement has.
    private let draws, negatives: Int
    /// Its timesteps that contrast counts, and those that MI does.
    private let noisy, whole: Int
    private let hasTraces: Bool

    /// Nil where no errors were measured.
    init?(_ rows: [CatalogueRow], in corpus: Corpus) throws {
        let sets = try corpus.scores(of: rows.map(\.id))
        let measured = sets.filter { $0.scorer.negatives != nil && !$0.records.isEmpty }
        guard let largest = measured.max(by: { ScoreForm.size($0.scorer) < ScoreForm.size($1.scorer) }),
            let timesteps = largest.records.first?.timesteps
        else { return nil }
        (self.sets, self.rows) = (sets, rows)
        draws = largest.scorer.draws
        negatives = largest.records.compactMap { $0.curves?.negatives.count }.max() ?? 0
        noisy = timesteps.count { $0 > 200 }
        whole = timesteps.count { $0 > 50 }
        hasTraces = largest.scorer.timesteps == nil && largest.scorer.settled == nil
    }

    /// One way to spend passes.
    private struct Form {
        let series, text: String
        let forwards: Int
    }

    private var forms: [Form] {
        var forms: [Form] = []
        func add(_ series: String, _ name: String, _ settings: String, prompts: Int, timesteps: Int) {
            for (draw, count) in parts(of: timesteps) {
                forms.append(
                    Form(
                        series: series, text: "\(name):\(settings)draws=\(draw),timesteps=\(count)",
                        forwards: draw * count * prompts))
            }
        }
        for near in [1, 2, 4].filter({ $0 < negatives }) + (negatives > 0 ? [negatives] : []) {
            let series = "contrast, \(near) near miss\(near == 1 ? "" : "es")"
            add(series, "contrast", "negatives=\(near),", prompts: 1 + near, timesteps: noisy)
        }
        if negatives > 0 { add("contrast_hard", "contrast_hard", "", prompts: 1 + negatives, timesteps: noisy) }
        add("pointwise", "pointwise", "", prompts: 2, timesteps: noisy)
        if hasTraces { add("mc", "mc", "", prompts: 2, timesteps: whole) }
        return forms
    }

    /// More and more timesteps of one draw, then more draws.
    private func parts(of timesteps: Int) -> [(draws: Int, timesteps: Int)] {
        guard timesteps > 0 else { return [] }
        let counts = [1, 2, 3, 5, 8, 12, 20, 40].filter { $0 < timesteps } + [timesteps]
        return counts.map { (1, $0) } + (1..<max(draws, 1)).map { ($0 + 1, timesteps) }
    }

    /// - Parameter agreement: the AUC of a score's values by sample; nil where it ranks nothing.
    func measure(_ agreement: (_ name: String, _ values: [Digest: Double]) -> MeanInterval?) throws -> [ScoreCost] {
        try forms.compactMap { form in
            let values = try ScoreForm(form.text).values(of: rows, among: sets)
            guard values.count == rows.count, let auc = agreement(form.text, values) else { return nil }
            return ScoreCost(score: form.text, series: form.series, forwards: form.forwards, auc: auc)
        }
    }
}
