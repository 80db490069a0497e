package import CorpusStore

/// What a grid shows: the state of its page, all of which is in the address.
package struct GridQuery: Sendable, Hashable {
    package enum View: String, Sendable, CaseIterable {
        /// A row of candidates for each prompt.
        case prompts
        /// One sample after the other.
        case all
    }

    package enum Size: String, Sendable, CaseIterable {
        case small, medium, large

        /// Of the thumbnails that are asked for, in pixels; screens of twice the resolution look sharp.
        package var pixels: Int {
            switch self {
            case .small: 192
            case .medium: 320
            case .large: 512
            }
        }
    }

    /// As after `attune query`.
    package var condition: String?
    /// A score, or an expression over columns.
    package var by: String
    package var isAscending: Bool
    package var top: Int?
    package var perPrompt: Bool
    /// Words of prompts.
    package var search: String?
    /// The text of the only prompt.
    package var prompt: String?
    /// A selection to which the grid is confined.
    package var within: String?
    package var view: View
    /// The vectors of a map, and an area of it to which the grid is confined.
    package var map: String?
    package var lasso: Lasso?

    /// What the order of ids is called.
    package static let unranked = "id"

    package init(_ query: Query) throws {
        condition = query["where"]
        by = query["by"] ?? "mi"
        isAscending = query["order"] == "asc"
        perPrompt = query["per"] == "prompt"
        search = query["search"]
        prompt = query["prompt"]
        within = query["in"]
        view = query["view"].flatMap(View.init) ?? .prompts
        map = query["map"]
        lasso = try query["lasso"].map { try Lasso($0) }
        if let text = query["top"] {
            guard let count = Int(text), (1...1_000_000).contains(count) else {
                throw Refusal.unusable("top is '\(text)'; it must be a number from 1 to 1000000")
            }
            top = count
        }
        for (name, text) in [("where", condition), ("by", by), ("search", search), ("prompt", prompt)] {
            if let text, text.utf8.count > 20_000 {
                throw Refusal.unusable("\(name) has \(text.utf8.count) bytes; at most 20000 are read")
            }
        }
    }

    /// What is asked of the catalogue.
    package var question: CatalogueQuery {
        let ranking = by == Self.unranked ? nil : isAscending ? "-(\(by)\n)" : by
        return CatalogueQuery(condition: condition, by: ranking, top: top, perPrompt: perPrompt && top != nil)
    }

    /// What tiles show; nil where nothing ranks them.
    package var score: String? { by == Self.unranked ? nil : by }
}
