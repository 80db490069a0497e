import CorpusStore
import Foundation
import Markup
import Plots

/// The page of samples: a grid that scripts fill as one scrolls, whose first rows are there without them.
enum GridPage {
    struct Choices: Sendable {
        var scores: [String]
        var selections: [String]
    }

    /// Rows that come with the page.
    static func firstRows(_ view: GridQuery.View) -> Int { view == .prompts ? 8 : 60 }

    static func page(
        _ query: GridQuery, _ rows: GridRows, note: String?, _ choices: Choices, _ layout: Layout
    ) throws -> Markup {
        let visit = layout.visit
        let size = visit.query["size"].flatMap(GridQuery.Size.init) ?? .medium
        let first = String(decoding: rows.bytes, as: UTF8.self)
        let count = "\(Figure.grouped(rows.samples)) samples"
        let summary = query.view == .prompts ? "\(count) of \(Figure.grouped(rows.total)) prompts" : count
        return layout.page(
            .tag("h1", ["class": "hidden"], "Samples"),
            toolbar(query, choices, visit, size),
            .tag(
                "div", ["class": "status"],
                .tag("p", ["id": "count"], "\(summary)\(note.map { "; \($0)" } ?? "")"),
                ladder(query, visit)),
            rows.total == 0 ? nothing(visit) : .empty,
            .tag(
                "div",
                [
                    "id": "grid", "class": "grid size-\(size.rawValue) view-\(query.view.rawValue)",
                    "data-first": first, "data-query": visit.query.with(["from": nil, "count": nil]).encoded,
                    "data-view": query.view.rawValue, "data-side": "\(size.pixels)", "data-score": query.score ?? "",
                    "data-total": "\(rows.total)",
                ],
                firstTiles(rows, size)),
            picks(visit, choices))
    }

    /// A failure that concerns the query alone keeps the query.
    static func failure(_ message: String, _ choices: Choices, _ layout: Layout) -> Markup {
        let query = (try? GridQuery(layout.visit.query)) ?? (try? GridQuery(Query("")))
        let size = layout.visit.query["size"].flatMap(GridQuery.Size.init) ?? .medium
        return layout.page(
            .tag("h1", ["class": "hidden"], "Samples"),
            query.map { toolbar($0, choices, layout.visit, size) } ?? .empty,
            .tag("p", ["class": "warning", "role": "alert"], "\(message)"))
    }

    private static func toolbar(
        _ query: GridQuery, _ choices: Choices, _ visit: Visit, _ size: GridQuery.Size
    ) -> Markup {
        let scores =
            [GridQuery.unranked] + choices.scores
            + (choices.scores.contains(query.by) || query.by == GridQuery.unranked ? [] : [query.by])
        return .tag(
            "form",
            ["class": "toolbar", "method": "get", "action": "/samples", "data-submit": "change", "id": "toolbar"],
            .tag(
                "label", ["class": "field grow"],
                .tag("span", [:], "Condition"),
                .tag(
                    "input",
                    [
                        "name": "where", "value": visit.query["where"] ?? "", "spellcheck": "false",
                        "autocomplete": "off",
                        "placeholder": "mi > 4 AND prompt LIKE '%star%'",
                    ])),
            Components.choice("by", label: "Sort by", scores.map { ($0, $0) }, chosen: query.by),
            Components.choice(
                "order", label: "Order", [("desc", "highest first"), ("asc", "lowest first")],
                chosen: query.isAscending ? "asc" : "desc"),
            Components.choice(
                "view", label: "View", [("prompts", "by prompt"), ("all", "all samples")], chosen: query.view.rawValue),
            Components.choice(
                "mark", label: "Mark selection", [("", "none")] + choices.selections.map { ($0, $0) },
                chosen: visit.query["mark"] ?? ""),
            Components.choice(
                "in", label: "Within selection", [("", "all")] + choices.selections.map { ($0, $0) },
                chosen: query.within ?? ""),
            Components.choice(
                "size", label: "Size", GridQuery.Size.allCases.map { ($0.rawValue, $0.rawValue) }, chosen: size.rawValue
            ),
            .group(
                ["search", "prompt", "top", "per", "map", "lasso"].compactMap { name in
                    visit.query[name].map { .tag("input", ["type": "hidden", "name": name, "value": $0]) }
                }),
            .tag("button", ["class": "primary"], "Show"))
    }

    /// What confines the listing beside the toolbar, each with a way out.
    private static func ladder(_ query: GridQuery, _ visit: Visit) -> Markup {
        var chips: [(text: String, without: [String])] = []
        if let search = query.search { chips.append(("search: \(Components.shortened(search, to: 60))", ["search"])) }
        if let prompt = query.prompt { chips.append(("prompt: \(Components.shortened(prompt, to: 60))", ["prompt"])) }
        if let top = query.top { chips.append(("top \(top)\(query.perPrompt ? " per prompt" : "")", ["top", "per"])) }
        if let condition = query.condition {
            chips.append(("where \(Components.shortened(condition, to: 60))", ["where"]))
        }
        if query.lasso != nil { chips.append(("an area of the map", ["lasso", "map"])) }
        return Components.chips(chips, visit, path: "/samples")
    }

    private static func nothing(_ visit: Visit) -> Markup {
        Components.empty(
            "No sample fits",
            .tag("p", [:], "Loosen the condition or the search, or "),
            Components.link("show all samples", to: "/samples"))
    }

    private static func firstTiles(_ rows: GridRows, _ size: GridQuery.Size) -> Markup {
        if let groups = rows.groups {
            return .group(
                groups.map { group in
                    .tag(
                        "section", ["class": "group"],
                        .tag("h2", [:], "\(group.prompt)"),
                        .tag("div", ["class": "strip"], group.tiles.prefix(12).map { tile($0, size) }))
                })
        }
        return .group((rows.tiles ?? []).map { tile($0, size) })
    }

    /// The same as scripts make.
    private static func tile(_ tile: Tile, _ size: GridQuery.Size) -> Markup {
        .tag(
            "a",
            [
                "class": "tile" + (tile.isChosen ? " chosen" : ""), "href": "/samples/\(tile.id)",
            ],
            .tag(
                "img",
                [
                    "src": "/tiles/\(tile.id)?side=\(size.pixels)", "alt": Components.shortened(tile.prompt, to: 300),
                    "width": "\(max(tile.width, 1))", "height": "\(max(tile.height, 1))", "loading": "lazy",
                ]),
            .tag(
                "span", ["class": "caption"],
                .tag("span", ["class": "score"], "\(tile.score.map { Figure.short($0) } ?? "–")"),
                .tag("span", ["class": "marks"], "\(String(repeating: "★", count: tile.stars))")))
    }

    /// What becomes of the picks.
    private static func picks(_ visit: Visit, _ choices: Choices) -> Markup {
        guard visit.mayEdit else { return .empty }
        return .tag(
            "form",
            ["class": "picks", "id": "picks", "method": "post", "action": "/selections", "aria-label": "Picks"],
            Components.csrf(visit),
            .tag("span", ["id": "pick-count"], "Space picks, x rejects, 1–5 give stars"),
            .tag(
                "label", ["class": "field"], .tag("span", [:], "Selection"),
                .tag(
                    "input",
                    [
                        "name": "name", "list": "selection-names", "required": "", "autocomplete": "off",
                        "value": visit.query["mark"] ?? visit.query["in"] ?? "", "placeholder": "name",
                        "pattern": "[A-Za-z0-9_][A-Za-z0-9._\\-]*",
                    ]),
                .tag("datalist", ["id": "selection-names"], choices.selections.map { .tag("option", ["value": $0]) })),
            .tag(
                "button", ["name": "action", "value": "picks", "title": "The selection becomes all picked samples"],
                "Store picks"),
            .tag(
                "button",
                [
                    "name": "action", "value": "merge",
                    "title": "Adds all picked samples to the selection and takes the rejected ones out",
                ], "Apply to selection"))
    }
}
