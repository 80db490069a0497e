package import CorpusStore
import Foundation

/// A selection as listings print it.
package struct SelectionListing: Encodable {
    package struct Version: Encodable {
        package let digest: String
        package let time: String
    }

    /// What it was asked for by.
    package let name: String
    package let digest: String
    package let samples: Int
    /// The policy in the words of `select`'s options.
    package let policy: String
    /// Every selection that the name has stood for, oldest first; empty where a digest was asked for.
    package let history: [Version]

    /// - Parameter name: a name, `name~1`, or a digest.
    package init(_ name: String, in corpus: Corpus) throws {
        let selection = try corpus.selection(meant: name)
        self.name = name
        digest = selection.digest.hex
        samples = selection.ids.count
        policy = Self.words(selection.policy)
        history =
            try corpus.selectionNames().contains(name)
            ? corpus.history(of: name).map { Version(digest: $0.digest.hex, time: Self.text($0.time)) } : []
    }

    package static func all(_ corpus: Corpus) throws -> [SelectionListing] {
        try corpus.selectionNames().map { try SelectionListing($0, in: corpus) }
    }

    package static func table(_ listings: [SelectionListing]) -> Table {
        Table(
            columns: ["name", "samples", "digest", "made", "policy"],
            rows: listings.map {
                [$0.name, String($0.samples), String($0.digest.prefix(12)), $0.history.last?.time ?? "-", $0.policy]
            })
    }

    static func text(_ time: Int) -> String {
        Date(timeIntervalSince1970: TimeInterval(time)).formatted(.iso8601)
    }

    static func words(_ policy: SelectionPolicy) -> String {
        switch policy {
        case .list:
            return "--from a list"
        case .combination(let operation, let operands):
            let option =
                switch operation {
                case .union: "--union"
                case .intersection: "--intersect"
                case .difference: "--subtract"
                }
            return ([option] + operands.map { String($0.hex.prefix(12)) }).joined(separator: " ")
        case .query(let query):
            var words: [String] = []
            if let condition = query.condition { words.append("--where \"\(condition)\"") }
            words.append("--by \(query.by ?? "random")")
            if let top = query.top { words.append("--top \(top)") }
            if query.perPrompt { words.append("--per prompt") }
            return words.joined(separator: " ")
        }
    }
}
