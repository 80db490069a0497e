/// One image to make: a prompt and the seed of its noise.
package struct Candidate: Hashable, Sendable {
    package let prompt: String
    package let seed: UInt64

    package init(prompt: String, seed: UInt64) {
        self.prompt = prompt
        self.seed = seed
    }

    /// The candidates of all prompts, in batches, each made when it is asked for.
    ///
    /// Candidate i of every prompt uses `seed` + i, or seeds of its own. Batches are cut before any are skipped, so that a
    /// run which is stopped and started again computes the same batches, and seals the same shards, as one that is not.
    ///
    /// - Precondition: the product of prompts and images does not overflow.
    package static func batches(
        prompts: [String], imagesPerPrompt: Int, seed: UInt64, seeds: CandidateSeeds = .shared, size: Int
    ) -> some Sequence<[Candidate]> {
        let total = prompts.count * imagesPerPrompt
        return stride(from: 0, to: total, by: size).lazy.map { start in
            (start..<min(start + size, total)).map { place in
                let (prompt, offset) = place.quotientAndRemainder(dividingBy: imagesPerPrompt)
                let first = seeds.first(of: prompts[prompt], seed: seed)
                return Candidate(prompt: prompts[prompt], seed: first &+ UInt64(offset))
            }
        }
    }

    /// How many candidates there are.
    ///
    /// - Throws: ``UsageError`` for more than `limit`.
    static func count(prompts: Int, imagesPerPrompt: Int, limit: Int) throws(UsageError) -> Int {
        let (total, overflow) = prompts.multipliedReportingOverflow(by: imagesPerPrompt)
        guard !overflow, total <= limit else {
            throw UsageError(
                "\(imagesPerPrompt) images of each of \(prompts) prompts are more than the \(limit) of one command: "
                    + "take fewer, or split the prompts")
        }
        return total
    }
}
