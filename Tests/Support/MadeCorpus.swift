import Codecs
package import CorpusStore
import Foundation

/// A corpus knows no estimator; these tests need none.
package struct NoScores: TraceScoring {
    package let identity = "none"

    package init() {}

    package func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) { (.nan, .nan, .nan) }
}

extension Scratch {
    /// A new corpus without an estimator.
    package func corpus(_ name: String) throws -> Corpus { try Corpus.create(at: url(name), scoring: NoScores()) }
}

/// Samples whose pixels and latents follow from their seed.
package enum Made {
    package static func record(_ seed: UInt64, prompt: String = "a red circle", side: Int = 32) throws -> SampleRecord {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let pixels = (0..<3 * side * side).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
        let latent = (0..<4 * 8 * 8).map { _ in Float(Int32(truncatingIfNeeded: next())) / Float(1 << 30) }
        return SampleRecord(
            recipe: SampleRecipe(
                prompt: prompt, seed: seed, model: "sha256:made", sampler: "ddpm", steps: 3, guidance: 5, width: side,
                height: side),
            tag: "made", png: try PNG.encode(width: side, height: side, pixels: pixels), pixels: Digest(of: pixels),
            latentShape: [4, 8, 8], latent: latent, timesteps: [999, 500, 1], deltaSquared: [1, 2, .nan])
    }

    /// `count` samples in shards of eight, and a selection `best` of all of them.
    package static func fill(_ corpus: Corpus, count: Int, from seed: UInt64 = 0, side: Int = 32) throws {
        let seeds = Array(seed..<seed + UInt64(count))
        for start in stride(from: 0, to: count, by: 8) {
            try corpus.append(
                try seeds[start..<min(start + 8, count)].map {
                    try record($0, prompt: "a star \u{2605} no. \($0 % 5)", side: side)
                })
        }
        try corpus.store(corpus.resolve(CatalogueQuery(condition: "tag = 'made'")), as: "best")
    }
}
