import CorpusStore

/// What people say of samples in the gallery: annotations, sealed like those of any scorer, and columns of queries.
enum Mark {
    static let stars = "stars"
    /// 1 picked, -1 rejected.
    static let pick = "pick"
    /// Comparisons won less comparisons lost.
    static let votes = "votes"
    /// Before a tag's name.
    static let tagPrefix = "tag_"

    /// The names of the tags that a sample has, sorted.
    static func tags(_ annotations: [String: Double]) -> [String] {
        annotations.filter { $0.key.hasPrefix(tagPrefix) && $0.value > 0 }
            .map { String($0.key.dropFirst(tagPrefix.count)) }.sorted()
    }

    /// What is wrong with a mark; nil for a good one.
    static func problem(_ name: String, _ value: Double) -> String? {
        switch name {
        case stars where (0...5).contains(value) && value == value.rounded(): nil
        case stars: "stars are a whole number from 0 to 5, not \(value)"
        case pick where [-1, 0, 1].contains(value): nil
        case pick: "pick is 1, 0 or -1, not \(value)"
        case _ where name.hasPrefix(tagPrefix) && [0, 1].contains(value):
            Annotations.problem(withName: name).map { _ in
                "a tag's name has a–z, 0–9 and '_' only, at most 60 of them: '\(name.dropFirst(tagPrefix.count).prefix(80))'"
            }
        case _ where name.hasPrefix(tagPrefix): "a tag is 1 or 0, not \(value)"
        default: "'\(name.prefix(80))' is not a mark; there are \(stars), \(pick) and \(tagPrefix)NAME"
        }
    }
}
