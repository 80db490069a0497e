package import CorpusStore
import Diffusion

/// What `attune missing` says: which candidates of a prompt file a corpus lacks.
package struct MissingCandidates: Encodable, Sendable {
    package struct Prompt: Encodable, Sendable {
        package let prompt: String
        /// How many of its candidates are missing.
        package var missing: Int
        /// Their seeds.
        package var seeds: [UInt64]
    }

    /// Candidates of the prompt file.
    package let total: Int
    package let missing: Int
    /// Those of which candidates are missing, in the order of the file.
    package let prompts: [Prompt]
    /// What else the user should know.
    package let notes: [String]
}

extension GenerationJob {
    /// Candidates that are looked up together.
    private static let group = 4096

    /// What ``run(into:monitor:)`` would make, without making it.
    ///
    /// - Throws: as ``run(into:monitor:)``.
    package func missing(in corpus: Corpus) throws -> MissingCandidates {
        let prompts = part.of(try PromptFile(prompts).prompts)
        let total = try Candidate.count(prompts: prompts.count, imagesPerPrompt: imagesPerPrompt, limit: Self.limit)
        var maker = try CandidateMaker(model, denoising)
        if let pruning {
            try pruning.check(imagesPerPrompt: imagesPerPrompt)
            maker = try maker.pruned(pruning, of: imagesPerPrompt, from: seed)
        }
        let generator = CorpusGenerator(corpus: corpus, maker: maker)
        var found: [MissingCandidates.Prompt] = []
        var count = 0
        for group in Candidate.batches(
            prompts: prompts, imagesPerPrompt: imagesPerPrompt, seed: seed, size: Self.group)
        {
            for candidate in try generator.missing(of: group) {
                count += 1
                // Candidates of a prompt follow each other. Bytes decide, as in a prompt file.
                if let last = found.last, last.prompt.utf8.elementsEqual(candidate.prompt.utf8) {
                    found[found.count - 1].missing += 1
                    found[found.count - 1].seeds.append(candidate.seed)
                } else {
                    found.append(.init(prompt: candidate.prompt, missing: 1, seeds: [candidate.seed]))
                }
            }
        }
        if let pruning {
            // Any of a prompt's candidates may be among those that are kept.
            found = found.compactMap { prompt -> MissingCandidates.Prompt? in
                let missing = prompt.missing - (imagesPerPrompt - pruning.keep)
                guard missing > 0 else { return nil }
                return MissingCandidates.Prompt(prompt: prompt.prompt, missing: missing, seeds: prompt.seeds)
            }
            count = found.reduce(0) { $0 + $1.missing }
        }
        var notes: [String] = []
        let others = try corpus.summary().models.filter { $0 != maker.model.digest }
        if count > 0, !others.isEmpty {
            notes.append(
                "the corpus also has images of \(others.count) other \(others.count == 1 ? "model" : "models") "
                    + "(\(others.map { String($0.prefix(19)) }.joined(separator: ", "))); if workers of one job have made "
                    + "them, their model folders differ")
        }
        return MissingCandidates(
            total: pruning.map { prompts.count * $0.keep } ?? total, missing: count, prompts: found, notes: notes)
    }
}
