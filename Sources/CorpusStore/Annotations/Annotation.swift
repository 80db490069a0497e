import GRDB

/// Scores of stored samples by a scorer from elsewhere: BLIP-VQA, HPS, an aesthetic model, people.
package struct Annotations: Sendable, Equatable {
    /// The scorer's name, which becomes a column of conditions and rankings.
    package let scorer: String
    /// Counts up each time that the scorer's values are given; of two values of one sample the later counts.
    package let revision: Int
    /// Where the values came from: a file's name.
    package let source: String
    package let values: [AnnotationValue]

    package init(scorer: String, revision: Int, source: String, values: [AnnotationValue]) {
        (self.scorer, self.revision, self.source, self.values) = (scorer, revision, source, values)
    }
}

/// One sample's score.
package struct AnnotationValue: Sendable, Hashable {
    package let sample: Digest
    /// Finite.
    package let value: Double

    package init(sample: Digest, value: Double) { (self.sample, self.value) = (sample, value) }
}

extension Annotations {
    /// What is wrong with a scorer's name, nil for a good one.
    package static func problem(withName name: String) -> String? {
        if let problem = problem(withStoredName: name) { return problem }
        guard !CatalogueSource.newNames.contains(name) else {
            return "'\(name)' has a meaning of its own in queries; choose another name"
        }
        guard !needsQuotes(name) else {
            return
                "'\(name)' is a word of SQL, which queries would have to quote; choose another name, such as \(name)_score"
        }
        return nil
    }

    /// What is wrong with the name of a scorer whose values are in a file already: versions up to 0.1 took words of SQL,
    /// which conditions must put in double quotes.
    package static func problem(withStoredName name: String) -> String? {
        let isPlain = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isPlain, let first = name.utf8.first, first > 57, first != 95, name.utf8.count <= 64 else {
            return "a scorer's name has a–z, 0–9 and '_' only, and begins with a letter, as in hps_v2"
        }
        let taken = CatalogueRow.columns.contains(name) && !CatalogueSource.newNames.contains(name)
        guard !taken, !reserved.contains(name) else {
            return "'\(name)' has a meaning of its own in queries; choose another name"
        }
        return nil
    }

    /// Words that an option of a command, or a file that is exported, would take for something else, and those of SQL that
    /// no version has taken.
    private static let reserved: Set<String> = [
        "all", "and", "as", "asc", "between", "by", "case", "cast", "collate", "desc", "distinct", "else", "end",
        "escape", "exists", "false", "from", "glob", "group", "having", "in", "is", "isnull", "join", "like", "limit",
        "match", "not", "notnull", "null", "on", "or", "order", "random", "regexp", "select", "set", "table", "then",
        "true", "union", "using", "values", "when", "where", "with", "text", "file_name", "score", "value",
    ]

    /// Whether a condition must put a scorer's name in double quotes: as a bare word, SQLite takes it for something else.
    static func needsQuotes(_ name: String) -> Bool {
        let meant = try? DatabaseQueue().read {
            try Double.fetchOne($0, sql: "SELECT (\(name)) FROM (SELECT 7.25 AS \"\(name)\") WHERE \(name) > 1")
        }
        return meant != 7.25
    }
}
