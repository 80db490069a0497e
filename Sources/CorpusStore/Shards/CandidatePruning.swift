/// How candidates of a prompt were chosen before they were finished: all took the first steps, and those that a score then
/// called the best took the rest.
package struct CandidatePruning: Sendable, Hashable, Codable {
    /// How many were finished.
    package var keep: Int
    /// How many there were, of consecutive seeds.
    package var of: Int
    /// The seed of the first, as decimal text.
    package var firstSeed: String
    /// Denoising steps before the choice.
    package var after: Int
    /// The score: "mi", "contrast", or "contrast:error=0.3".
    package var by: String
    /// Where the near misses of "contrast" came from, how many there were, and at how many timesteps they were measured.
    package var negatives: String?

    private enum CodingKeys: String, CodingKey {
        case keep, of, after, by, negatives
        case firstSeed = "first_seed"
    }

    package init(keep: Int, of: Int, firstSeed: UInt64, after: Int, by: String, negatives: String? = nil) {
        (self.keep, self.of, self.firstSeed) = (keep, of, String(firstSeed))
        (self.after, self.by, self.negatives) = (after, by, negatives)
    }

    var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "keep": .integer(keep), "of": .integer(of), "first_seed": .string(firstSeed), "after": .integer(after),
            "by": .string(by),
        ]
        if let negatives { members["negatives"] = .string(negatives) }
        return .object(members)
    }
}
