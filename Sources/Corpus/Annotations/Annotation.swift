/// Scores of stored samples by a scorer from elsewhere: BLIP-VQA, HPS, an aesthetic model, people.
package struct Annotations: Sendable, Equatable {
    /// The scorer's name, which becomes a column of conditions and rankings.
    package let scorer: String
    /// Counts up each time that the scorer's values are given; of two values of one sample the later counts.
    package let revision: Int
    /// Where the values came from: a file's name.
    package let source: String
    package let values: [AnnotationValue]
}

/// One sample's score.
package struct AnnotationValue: Sendable, Hashable {
    package let sample: Digest
    /// Finite.
    package let value: Double

    package init(sample: Digest, value: Double) { (self.sample, self.value) = (sample, value) }
}

extension Annotations {
    /// What is wrong with a scorer's name, nil for a good one. It stands in SQL without quotes.
    package static func problem(withName name: String) -> String? {
        let isPlain = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isPlain, let first = name.utf8.first, first > 57, first != 95, name.utf8.count <= 64 else {
            return "a scorer's name has a–z, 0–9 and '_' only, and begins with a letter, as in hps_v2"
        }
        guard !CatalogueRow.columns.contains(name), !keywords.contains(name) else {
            return "'\(name)' has a meaning of its own in queries; choose another name"
        }
        return nil
    }

    /// Words that SQL, or an option of a command, would take for something else.
    private static let keywords: Set<String> = [
        "all", "and", "as", "asc", "between", "by", "case", "cast", "collate", "desc", "distinct", "else", "end",
        "escape",
        "exists", "false", "from", "glob", "group", "having", "in", "is", "isnull", "join", "like", "limit", "match",
        "not",
        "notnull", "null", "on", "or", "order", "random", "regexp", "select", "set", "table", "then", "true", "union",
        "using", "values", "when", "where", "with", "text", "file_name", "score", "value",
    ]
}
