import Corpus
import Foundation

/// A named selection as listings print it.
struct SelectionListing: Encodable {
    struct Version: Encodable {
        let digest: String
        let time: String
    }

    let name: String
    let digest: String
    let samples: Int
    /// The policy in the words of `select`'s options.
    let policy: String
    /// Every selection that the name has stood for, oldest first.
    let history: [Version]

    init(_ name: String, in corpus: Corpus) throws {
        let selection = try corpus.selection(named: name)
        self.name = name
        digest = selection.digest.hex
        samples = selection.ids.count
        policy = Self.words(selection.policy)
        history = try corpus.history(of: name).map {
            Version(
                digest: $0.digest.hex,
                time: Date(timeIntervalSince1970: TimeInterval($0.time)).formatted(.iso8601))
        }
    }

    static func all(_ corpus: Corpus) throws -> [SelectionListing] {
        try corpus.selectionNames().map { try SelectionListing($0, in: corpus) }
    }

    static func table(_ listings: [SelectionListing]) -> Table {
        Table(
            columns: ["name", "samples", "digest", "made", "policy"],
            rows: listings.map {
                [$0.name, String($0.samples), String($0.digest.prefix(12)), $0.history.last?.time ?? "-", $0.policy]
            })
    }

    private static func words(_ policy: CatalogueQuery) -> String {
        var words: [String] = []
        if let condition = policy.condition { words.append("--where \"\(condition)\"") }
        words.append("--by \(policy.by ?? "random")")
        if let top = policy.top { words.append("--top \(top)") }
        if policy.perPrompt { words.append("--per prompt") }
        return words.joined(separator: " ")
    }
}
