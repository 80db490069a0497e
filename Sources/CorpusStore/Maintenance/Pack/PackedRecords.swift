import HDF5

/// What `pack` asks of records and shards.
extension SampleRecord {
    /// The order in a packed shard: by prompt, then by seed, so that what is read together is together.
    static func packedBefore(
        _ a: (key: Digest, value: SampleRecord), _ b: (key: Digest, value: SampleRecord)
    ) -> Bool {
        let (first, second) = (a.value.recipe, b.value.recipe)
        if ExactText(first.prompt) != ExactText(second.prompt) {
            return first.prompt.utf8.lexicographicallyPrecedes(second.prompt.utf8)
        }
        return (first.seed, a.key) < (second.seed, b.key)
    }

    /// Bit by bit, NaNs too.
    func isSame(as other: SampleRecord) -> Bool {
        id == other.id && png == other.png && timesteps == other.timesteps && latentShape == other.latentShape
            && latent.map(\.bitPattern) == other.latent.map(\.bitPattern)
            && deltaSquared.map(\.bitPattern) == other.deltaSquared.map(\.bitPattern)
            && FlowTrace.isSame(flow, other.flow)
    }
}

extension ScoreRecord {
    func isSame(as other: ScoreRecord) -> Bool {
        sample == other.sample && timesteps == other.timesteps
            && draws.map { $0.map(\.bitPattern) } == other.draws.map { $0.map(\.bitPattern) }
            && curves?.negatives.map { ExactText($0) } == other.curves?.negatives.map { ExactText($0) }
            && curves?.errors.map(\.bitPattern) == other.curves?.errors.map(\.bitPattern)
    }
}

extension ScoreShard {
    var weight: Int {
        records.reduce(0) { $0 + 32 + 4 * ($1.timesteps.count * (1 + $1.draws.count) + ($1.curves?.errors.count ?? 0)) }
    }
}
