import CorpusStore
import Foundation
import Randomness

/// Catalogue rows as a large corpus has them: prompts with some candidates each, in shards of four thousand samples.
struct SyntheticRows: Sendable {
    static let shard = 4000

    let rows: Int
    let prompts: Int

    var shards: Int { (rows + Self.shard - 1) / Self.shard }

    func shard(_ index: Int) -> PreparedSamples {
        let range = index * Self.shard..<min((index + 1) * Self.shard, rows)
        let perPrompt = max(rows / prompts, 1)
        let made = range.map { sample -> PreparedSamples.Row in
            var words = SplitMix64(seed: UInt64(sample) &* 0x9E37_79B9_7F4A_7C15 &+ 1)
            let prompt = min(sample / perPrompt, prompts - 1)
            // A sum of uniform numbers: nearly normal, around 20 with deviation 5.
            let mi = 20 + 5 * (0..<12).reduce(-6) { sum, _ in sum + words.fraction() }
            return PreparedSamples.Row(
                id: words.digest(), recipe: words.digest(), prompt: Self.prompt(prompt),
                seed: String(42 + sample % perPrompt),
                origin: prompt % 5, mi: mi, standardError: 1, reference: mi * 0.9)
        }
        var name = SplitMix64(seed: UInt64(index) &+ 77)
        return PreparedSamples(synthetic: made, origins: Self.origins, shard: name.digest())
    }

    /// Five tags, one of them rare in what it is asked for.
    private static let origins = ["color", "shape", "texture", "spatial", "complex"].map {
        SampleOrigin(
            model: "sha256:" + String(repeating: "5", count: 64), sampler: "ddpm", steps: 100, guidance: 7.5,
            width: 512,
            height: 512, tag: $0, latentShape: [4, 64, 64])
    }

    private static func prompt(_ index: Int) -> String {
        let colors = ["red", "green", "blue", "golden", "white", "black", "violet"]
        let things = ["cube", "cat", "bicycle", "teapot", "lighthouse", "guitar", "umbrella", "star"]
        return "a photo of \(index % 9 + 1) \(colors[index % 7]) \(things[index % 8])s, number \(index)"
    }
}

extension SplitMix64 {
    fileprivate mutating func digest() -> Digest {
        Digest(raw: (0..<4).flatMap { _ in withUnsafeBytes(of: next()) { Array($0) } })
    }
}
