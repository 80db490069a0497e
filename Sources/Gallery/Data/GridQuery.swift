import Corpus

/// What a grid shows: the state of its page, all of which is in the address.
struct GridQuery: Sendable, Hashable {
    enum View: String, Sendable, CaseIterable {
        /// A row of candidates for each prompt.
        case prompts
        /// One sample after the other.
        case all
    }

    enum Size: String, Sendable, CaseIterable {
        case small, medium, large

        /// Of the thumbnails that are asked for, in pixels; screens of twice the resolution look sharp.
        var pixels: Int {
            switch self {
            case .small: 192
            case .medium: 320
            case .large: 512
            }
        }
    }

    /// As after `attune query`.
    var condition: String?
    /// A score, or an expression over columns.
    var by: String
    var isAscending: Bool
    var top: Int?
    var perPrompt: Bool
    /// Words of prompts.
    var search: String?
    /// The text of the only prompt.
    var prompt: String?
    /// A selection to which the grid is confined.
    var within: String?
    var view: View

    /// What the order of ids is called.
    static let unranked = "id"

    init(_ query: Query) throws {
        condition = query["where"]
        by = query["by"] ?? "mi"
        isAscending = query["order"] == "asc"
        perPrompt = query["per"] == "prompt"
        search = query["search"]
        prompt = query["prompt"]
        within = query["in"]
        view = query["view"].flatMap(View.init) ?? .prompts
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
    var question: CatalogueQuery {
        let ranking = by == Self.unranked ? nil : isAscending ? "-(\(by)\n)" : by
        return CatalogueQuery(condition: condition, by: ranking, top: top, perPrompt: perPrompt && top != nil)
    }

    /// What tiles show; nil where nothing ranks them.
    var score: String? { by == Self.unranked ? nil : by }
}
