package import CorpusStore

/// How the scores of a run's images become rewards in 0…1.
package enum RewardNormalization: String, Codable, Sendable, CaseIterable {
    /// r = ½ + ½·clip((s − mean of the prompt's scores)/Z, −1, 1) with Z the standard deviation of all scores
    /// (DiffusionNFT, arXiv 2509.16117, section 3.2): an image is good by comparison with others of its prompt.
    case prompt
    /// The scores as they are, which must lie in 0…1.
    case none

    /// The reward of each sample by its id.
    ///
    /// - Parameters:
    ///   - samples: all images that the run may use.
    ///   - name: the scorer's, for errors.
    /// - Throws: where the scores tell nothing apart, or are no rewards.
    package func rewards(_ samples: [SampleDescription], of name: String) throws(TrainingSourceError) -> [Digest: Float]
    {
        let scored = samples.compactMap { sample in sample.score.map { (sample, $0) } }
        switch self {
        case .none:
            if let (sample, score) = scored.first(where: { !(0...1).contains($0.1) }) {
                throw TrainingSourceError(
                    "sample \(sample.id) has a \(name) of \(score), and a reward lies in 0…1; give --rewards prompt, which "
                        + "compares images of one prompt")
            }
            return Dictionary(scored.map { ($0.0.id, Float($0.1)) }) { first, _ in first }
        case .prompt:
            var sums: [ExactText: (sum: Double, count: Int)] = [:]
            for (sample, score) in scored {
                let known = sums[ExactText(sample.prompt)] ?? (0, 0)
                sums[ExactText(sample.prompt)] = (known.sum + score, known.count + 1)
            }
            func mean(_ prompt: String) -> Double {
                let known = sums[ExactText(prompt)] ?? (0, 1)
                return known.sum / Double(known.count)
            }
            let total = scored.reduce(0) { $0 + $1.1 } / Double(max(scored.count, 1))
            let variance = scored.reduce(0) { $0 + ($1.1 - total) * ($1.1 - total) } / Double(max(scored.count, 1))
            let isInformative = scored.contains { abs($0.1 - mean($0.0.prompt)) > 1e-12 * max(1, abs($0.1)) }
            guard isInformative else {
                throw TrainingSourceError(
                    sums.values.allSatisfy { $0.count == 1 }
                        ? "the selection has one image per prompt, and rewards compare images of one prompt; select several "
                            + "per prompt, or give --rewards none"
                        : "\(name) is the same for all images of each prompt, so that no reward tells them apart; choose "
                            + "another score, or give --rewards none")
            }
            let scale = variance.squareRoot()
            return Dictionary(
                scored.map { sample, score in
                    let advantage = (score - mean(sample.prompt)) / scale
                    return (sample.id, Float(0.5 + 0.5 * min(max(advantage, -1), 1)))
                }
            ) { first, _ in first }
        }
    }
}
