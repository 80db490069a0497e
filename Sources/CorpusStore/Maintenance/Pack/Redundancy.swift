extension Corpus {
    /// Shards all of whose samples another one holds, each with that other one. A `pack` that was killed before it
    /// removed anything leaves them.
    func redundantShards() throws(CorpusError) -> [(old: Digest, new: Digest)] {
        // Rows point to one of two such shards only, so most corpora are done here.
        let shadowed = try catalogue.inventory().filter { $0.rows < $0.samples }
        guard !shadowed.isEmpty else { return [] }
        var contents: [Digest: Set<Digest>] = [:]
        var suspects = Set(shadowed.map(\.digest))
        for digest in suspects { contents[digest] = try samples(in: digest) }
        let doubtful = Set(contents.values.flatMap(\.self))
        for row in try rows(Array(doubtful)).values {
            if suspects.insert(row.shard).inserted { contents[row.shard] = try samples(in: row.shard) }
        }
        // The smallest first; of two with the same samples, the one with the smaller digest stays.
        let order = contents.sorted { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        var found: [(old: Digest, new: Digest)] = []
        for (place, (digest, samples)) in order.enumerated() {
            guard let holder = order[(place + 1)...].last(where: { samples.isSubset(of: $0.value) }) else { continue }
            try verifyHolder(holder.key)
            found.append((digest, holder.key))
        }
        return found
    }

    private func samples(in digest: Digest) throws(CorpusError) -> Set<Digest> { Set(try open(digest).ids) }

    /// What stays must be intact.
    private func verifyHolder(_ digest: Digest) throws(CorpusError) { try ShardReader(sealed(digest)).verify() }
}
