package import CorpusStore

/// The pairs of a better and a worse image of one prompt that a selection holds.
///
/// The number of pairs grows with the square of the images per prompt, so they are not listed: an epoch passes over the
/// images that have a worse one, and each draws its partner among those.
package struct PreferencePairs: Sendable {
    /// Ids of images that are better than another of their prompt, in the selection's order.
    package let winners: [Digest]
    /// The images of each prompt, by rising score.
    private let groups: [[Digest]]
    /// Where a winner stands: its prompt, and how many of its prompt's images are worse by the margin.
    private let places: [Digest: (group: Int, worse: Int)]

    /// - Parameters:
    ///   - samples: the selection, with scores.
    ///   - margin: the least difference of the scores of a pair; equal scores never make one.
    ///   - name: the scorer's, for errors.
    /// - Throws: where there is no pair.
    package init(_ samples: [SampleDescription], margin: Double, of name: String) throws(TrainingSourceError) {
        var members: [ExactText: [(id: Digest, score: Double)]] = [:]
        for sample in samples {
            guard let score = sample.score else { continue }
            members[ExactText(sample.prompt), default: []].append((sample.id, score))
        }
        var groups: [[Digest]] = []
        var places: [Digest: (group: Int, worse: Int)] = [:]
        for group in members.values {
            let sorted = group.sorted { ($0.score, $0.id) < ($1.score, $1.id) }
            var worse = 0
            for (id, score) in sorted {
                while sorted[worse].score < score && sorted[worse].score <= score - margin { worse += 1 }
                if worse > 0 { places[id] = (groups.count, worse) }
            }
            groups.append(sorted.map(\.id))
        }
        (self.groups, self.places) = (groups, places)
        winners = samples.map(\.id).filter { places[$0] != nil }
        guard winners.isEmpty else { return }
        throw TrainingSourceError(
            members.values.allSatisfy { $0.count == 1 }
                ? "the selection has one image per prompt, and a pair takes two; select several per prompt"
                : "no prompt has two images whose \(name) differs"
                    + (margin > 0 ? " by \(margin) or more; lower --margin" : "; choose another score")
                    + ", or select more images per prompt")
    }

    /// The worse image that a winner is compared with; nil where there is none.
    ///
    /// - Parameters:
    ///   - id: the winner's.
    ///   - draw: a number below a bound.
    package func loser(to id: Digest, draw: (Int) -> Int) -> Digest? {
        places[id].map { groups[$0.group][draw($0.worse)] }
    }
}
