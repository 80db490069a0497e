/// One image to make: a prompt and the seed of its noise.
package struct Candidate: Hashable, Sendable {
    package let prompt: String
    package let seed: UInt64

    package init(prompt: String, seed: UInt64) {
        self.prompt = prompt
        self.seed = seed
    }

    /// The candidates of all prompts, in batches.
    ///
    /// Candidate i of every prompt uses `seed` + i. Batches are cut before any are skipped, so that a run which is
    /// stopped and started again computes the same batches, and seals the same shards, as one that is not.
    package static func batches(prompts: [String], imagesPerPrompt: Int, seed: UInt64, size: Int) -> [[Candidate]] {
        let all = prompts.flatMap { prompt in
            (0..<imagesPerPrompt).map { Candidate(prompt: prompt, seed: seed &+ UInt64($0)) }
        }
        return stride(from: 0, to: all.count, by: size).map { Array(all[$0..<min($0 + size, all.count)]) }
    }
}
