package import CorpusStore
package import Diffusion
package import Foundation
import NearMisses
import Tensors
package import Tuning

/// Where near-miss prompts come from.
package enum NearMissSource: Sendable, Equatable {
    /// Rules on the words of a prompt (``NearMissRules``).
    case rules(seed: Int)
    /// The prompts of the corpus whose text embeddings are the nearest.
    case corpus
    /// JSON lines with `prompt` and `negatives`.
    case file(URL)
}

/// The near misses of some prompts.
package struct NearMissPrompts: Sendable {
    /// As score shards record it.
    let source: NegativeSource
    private let find: @Sendable (String) -> [String]

    /// - Parameters:
    ///   - count: at most so many of each prompt.
    ///   - prompts: those that will be asked for; the same prompt may come often.
    /// - Throws: ``NegativePromptsError`` naming the line of a file that cannot be used; ``Failure`` for a corpus of one prompt.
    package init(
        _ source: NearMissSource, count: Int, prompts: [String], in corpus: Corpus, _ model: DiffusionModel
    ) throws {
        switch source {
        case .rules(let seed):
            self.source = NegativeSource(source: "rules", count: count, seed: seed)
            let rules = NearMissRules(seed: seed)
            find = { rules.negatives(of: $0, count: count) }
        case .corpus:
            self.source = NegativeSource(source: "corpus", count: count)
            let nearest = try NearestPrompts(of: prompts, count: count, in: corpus, model)
            find = { nearest[$0] }
        case .file(let url):
            let list = try NegativePrompts(file: url)
            self.source = NegativeSource(source: "sha256:\(list.digest)", count: count)
            find = { prompt in
                var seen: Set<ExactText> = []
                return Array(list(prompt).filter { seen.insert(ExactText($0)).inserted }.prefix(count))
            }
        }
    }

    func negatives(of prompt: String) -> [String] { find(prompt) }
}

/// Other prompts of a corpus, nearest first by the cosine of their text embeddings.
struct NearestPrompts: Sendable {
    private var lists: [ExactText: [String]] = [:]

    /// So many prompts of a larger corpus are looked at, the first by their texts.
    private static let most = 20_000

    init(of prompts: [String], count: Int, in corpus: Corpus, _ model: DiffusionModel) throws {
        var (all, seen): ([ExactText], Set<ExactText>) = ([], [])
        for prompt in prompts.map({ ExactText($0) }) where seen.insert(prompt).inserted { all.append(prompt) }
        let asked = all.count
        try corpus.forEach(CatalogueQuery(by: "mi", top: 1, perPrompt: true)) { (row) throws(CorpusError) in
            let prompt = ExactText(row.prompt)
            if all.count < Self.most, seen.insert(prompt).inserted { all.append(prompt) }
        }
        guard all.count > 1 else {
            throw Failure(
                "\(corpus.folder.path): has one prompt alone, which has no other near it; take --negatives rules or a file"
            )
        }
        let vectors = Self.vectors(all.map(\.text), model)
        for place in 0..<asked {
            let own = vectors[place]
            let ranked = all.indices.filter { $0 != place }
                .map { (cosine: zip(own, vectors[$0]).reduce(Float(0)) { $0 + $1.0 * $1.1 }, place: $0) }
                .sorted { ($1.cosine, $0.place) < ($0.cosine, $1.place) }
            lists[all[place]] = ranked.prefix(count).map { all[$0.place].text }
        }
    }

    /// What a prompt adds to the empty one's embedding, the mean over its tokens, of length 1.
    private static func vectors(_ prompts: [String], _ model: DiffusionModel) -> [[Float]] {
        let empty = model.emptyPrompt.tokens
        return stride(from: 0, to: prompts.count, by: 64).flatMap { start in
            model.encode(prompts: Array(prompts[start..<min(start + 64, prompts.count)])).map { embedding in
                let sums = columnSums(embedding.tokens - empty).values
                let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return length > 0 ? sums.map { $0 / length } : sums
            }
        }
    }

    subscript(_ prompt: String) -> [String] { lists[ExactText(prompt)] ?? [] }
}

extension NegativePrompts {
    /// Near misses by rules, for training.
    package static func rules(seed: Int, count: Int) -> NegativePrompts {
        let rules = NearMissRules(seed: seed)
        return NegativePrompts(digest: "rules:\(seed), \(count)") { rules.negatives(of: $0, count: count) }
    }
}

extension [CatalogueRow] {
    /// Those of a prompt together, and within it by seed, so that what depends on the prompt is computed once.
    var groupedByPrompt: [CatalogueRow] {
        sorted { a, b in
            if ExactText(a.prompt) != ExactText(b.prompt) {
                return a.prompt.utf8.lexicographicallyPrecedes(b.prompt.utf8)
            }
            return (a.seed.count, a.seed, a.id) < (b.seed.count, b.seed, b.id)
        }
    }
}
