/// What a random stream is for. Purposes never share a stream, so that adding draws to one moves no other.
enum DrawPurpose: UInt64 {
    case adapter = 1
    case permutation = 2
    case noise = 3
    case timestep = 4
    // 5 is python/attune/draws.py's, for drawing by weight.
    case caption = 6
    case negatives = 7
    case partner = 8

    /// The stream of one layer, epoch or sample: the purpose in the top byte.
    func stream(_ index: UInt64) -> UInt64 {
        precondition(index < 1 << 56, "an index that fits beside the purpose")
        return rawValue << 56 | index
    }
}
