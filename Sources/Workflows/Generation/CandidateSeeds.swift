import CorpusStore
import Foundation

/// Which seeds the images of each prompt have.
package enum CandidateSeeds: String, Sendable, CaseIterable {
    /// Image i of every prompt has the seed `seed` + i, so all prompts share the same noise. A mean over prompts keeps what that
    /// noise does, which no interval over prompts shows.
    case shared
    /// Each prompt has seeds of its own, from its text: noise averages out over prompts. Of a longer list of prompts, or more
    /// images, the first are the same.
    case own

    /// Images per prompt whose seeds stay apart.
    private static let room: UInt64 = 1 << 20

    /// The seed of a prompt's first image. Those of `own` stay below 2⁵² for a small `seed`, so that JSON's numbers hold them.
    package func first(of prompt: String, seed: UInt64) -> UInt64 {
        guard self == .own else { return seed }
        let digits = Digest(of: Data(prompt.utf8)).hex.prefix(8)
        return seed &+ (UInt64(digits, radix: 16) ?? 0) * Self.room
    }
}
