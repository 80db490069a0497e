import Tensors

/// A subset whose members differ: each next one is the farthest from those chosen (farthest-point sampling), or the best
/// compromise between that and a score (maximal marginal relevance, Carbonell & Goldstein 1998).
package enum DiverseChoice {
    /// - Parameters:
    ///   - vectors: of the samples, which come in their ranking: the first is chosen first.
    ///   - count: how many to choose.
    ///   - scores: of the samples; nil for diversity alone.
    ///   - trade: from 0, diversity alone, to 1, the score alone.
    ///   - isCancelled: asked before each choice.
    ///   - progress: told how many are chosen.
    /// - Returns: places, in the order in which they were chosen.
    /// - Throws: ``CurationError`` for more than there are, and scores that are not numbers; `CancellationError`.
    package static func choose(
        _ vectors: UnitVectors, count: Int, scores: [Double]? = nil, trade: Double = 0.5,
        isCancelled: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
    ) throws -> [Int] {
        guard count <= vectors.count else {
            throw CurationError("--diverse \(count)", "is more than fit, \(vectors.count): ask for fewer")
        }
        guard count > 0 else { return [] }
        let relevance = try scores.map { try normalized($0) }
        let weight = relevance == nil ? 0 : trade
        // 1 − cos reaches from 0 to 2.
        func value(_ index: Int, _ distance: Float) -> Double {
            weight * (relevance?[index] ?? 0) + (1 - weight) * Double(distance) / 2
        }
        var distances = [Float](repeating: 2, count: vectors.count)
        var isChosen = [Bool](repeating: false, count: vectors.count)
        var chosen: [Int] = []
        var next = relevance.map { $0.indices.max { a, b in relevance?[a] ?? 0 < relevance?[b] ?? 0 } ?? 0 } ?? 0
        while true {
            chosen.append(next)
            isChosen[next] = true
            progress(chosen.count)
            if chosen.count == count { return chosen }
            if isCancelled() { throw CancellationError() }
            for (index, cosine) in vectors.cosines(to: next).enumerated() {
                distances[index] = min(distances[index], max(1 - cosine, 0))
            }
            var best: (place: Int, value: Double)?
            for index in 0..<vectors.count where !isChosen[index] {
                let value = value(index, distances[index])
                if value > best?.value ?? -.infinity { best = (index, value) }
            }
            next = best?.place ?? 0
        }
    }

    /// By rank, from 0 for the lowest to 1: what a score's scale is does not matter.
    private static func normalized(_ scores: [Double]) throws -> [Double] {
        if let bad = scores.firstIndex(where: { !$0.isFinite }) {
            throw CurationError("the score of sample \(bad)", "is \(scores[bad]): score all samples, or leave --by out")
        }
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var ranks = [Double](repeating: 0, count: scores.count)
        var start = 0
        while start < order.count {
            let end = order[start...].firstIndex { scores[$0] != scores[order[start]] } ?? order.count
            let rank = scores.count > 1 ? Double(start + end - 1) / 2 / Double(scores.count - 1) : 1
            for place in start..<end { ranks[order[place]] = rank }
            start = end
        }
        return ranks
    }
}
