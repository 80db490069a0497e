package import Diffusion
import Tensors

/// Prompt embeddings of a run: those used last are kept, up to a number of bytes, and others are computed again.
///
/// Each prompt is encoded alone, so that its embedding does not depend on which others were missing at the same time.
package struct PromptEmbeddings {
    /// Bytes to hold: 256 MiB.
    package static let capacity = 1 << 28

    /// Bytes, not strings: Swift takes canonically equivalent strings as equal.
    private typealias Key = [UInt8]

    private struct Entry {
        let embedding: PromptEmbedding
        var used: Int
    }

    private let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var bytes = 0
    /// Counts uses, so that the entries not used the longest are known.
    private var clock = 0

    package init(capacity: Int = capacity) { self.capacity = capacity }

    /// The embeddings of some prompts, in their order.
    ///
    /// - Parameters:
    ///   - prompts: the texts.
    ///   - encode: computes the embedding of a prompt.
    package mutating func callAsFunction(
        _ prompts: [String], _ encode: (String) -> PromptEmbedding
    ) -> [PromptEmbedding] {
        clock += 1
        let found = prompts.map { prompt in
            let key = Key(prompt.utf8)
            if let known = entries[key]?.embedding {
                entries[key]?.used = clock
                return known
            }
            let embedding = encode(prompt)
            entries[key] = Entry(embedding: embedding, used: clock)
            bytes += embedding.bytes + key.count
            return embedding
        }
        if bytes > capacity { shrink() }
        return found
    }

    /// How many embeddings are held.
    package var count: Int { entries.count }

    /// Drops those not used the longest until half of the capacity is free, so that this is rare.
    private mutating func shrink() {
        for (key, entry) in entries.sorted(by: { $0.value.used < $1.value.used }) where entry.used < clock {
            guard bytes > capacity / 2 else { break }
            entries[key] = nil
            bytes -= entry.embedding.bytes + key.count
        }
    }
}

extension PromptEmbedding {
    fileprivate var bytes: Int { 4 * (tokens.count + (pooled?.count ?? 0)) }
}
