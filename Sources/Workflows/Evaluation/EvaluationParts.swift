import CorpusStore
import Foundation

/// An evaluation that several workers share: each makes and scores the images of every n-th batch, so that the shards are those
/// of one process, and the last to finish makes the report.
extension EvaluationJob {
    /// How many of the images of a model at a scale of guidance are this part's.
    func share(of images: Int) -> Int {
        stride(from: (part.index - 1) * batch, to: images, by: part.count * batch).reduce(0) {
            $0 + min(batch, images - $1)
        }
    }

    /// How the images are scored against near misses.
    var scoring: ScoringJob {
        var job = ScoringJob(model: model)
        (job.negatives, job.negativeCount, job.draws) = (negatives, negativeCount, draws)
        return job
    }

    /// This part's place among those that work on the images of a model.
    func joined(
        _ maker: CandidateMaker, _ label: String, _ prompts: [String], in corpus: Corpus, warn: (String) -> Void
    ) throws -> [ArrayMembership] {
        let own: [String: String?] = [
            "the prompts":
                "sha256:\(Digest(of: Data(prompts.joined(separator: "\n").utf8)).hex.prefix(12)), \(prompts.count)",
            "--images-per-prompt": String(imagesPerPrompt), "--seed": String(seed),
            "--seeds": seeds == .shared ? nil : seeds.rawValue, "--batch": String(batch),
            "--guidance": guidance.map { String($0) }.joined(separator: ","),
            "--negatives": negatives.map { "\($0), \(negativeCount), \(draws)" },
        ]
        let place = try array.join(
            part, of: "evaluate", on: "\(self.prompts.lastPathComponent), \(label)", tag: tag,
            settings: maker.shared.merging(own) { $1 }, in: corpus, warn: warn)
        return place.map { [$0] } ?? []
    }

    /// What a part ends with whose share is done: the report where all others have done theirs, of which any number may find that
    /// at once and make the same.
    func combined(
        _ made: EvaluatedImages, _ outcome: WorkOutcome, in corpus: Corpus, _ monitor: some WorkMonitor
    ) throws -> (report: EvaluationReport?, name: String, outcome: WorkOutcome) {
        guard try isComplete(made, in: corpus) else { return (nil, name ?? "", outcome) }
        var whole = self
        whole.part = .all
        let (report, stored, end) = try whole.run(in: corpus, monitor: PartMonitor(whole: monitor, done: 0))
        var outcome = outcome
        outcome.isFinished = end.isFinished
        return (report, stored, outcome)
    }

    private func isComplete(_ made: EvaluatedImages, in corpus: Corpus) throws -> Bool {
        // What other workers have sealed since.
        try corpus.requireReadable(corpus.catchUp())
        let recipes = Set(made.recipes)
        guard try corpus.existing(Array(recipes)) == recipes else { return false }
        guard negatives != nil else { return true }
        return try scoring.isComplete(on: Array(corpus.rows(recipes: Array(recipes)).values), in: corpus)
    }
}
