import CorpusStore
import Markup
import Plots
import Workflows

/// The page of a map: all samples that fit as points of a plane, an area of which can be chosen.
enum MapPage {
    struct Choices: Sendable {
        /// Vectors, with how many numbers each has.
        var maps: [(name: String, width: Int)]
        var columns: [String]
        var selections: [String]
    }

    /// What is chosen of a map.
    struct Chosen: Sendable {
        let count: Int
        /// Some of them, to look at.
        let rows: [BrowsedSample]
    }

    /// Images of the chosen samples that the page shows.
    static let shown = 24

    static func page(
        _ query: MapQuery, _ name: String, _ map: EmbeddingMap, _ listing: MapListing, chosen: Chosen?,
        _ choices: Choices, _ layout: Layout
    ) -> Markup {
        let visit = layout.visit
        return layout.page(
            .tag("h1", [:], "Map"),
            toolbar(query, name, choices, visit),
            .tag(
                "div", ["class": "status"],
                .tag("p", ["id": "count"], "\(summary(listing, name))"), chips(query, visit)),
            listing.samples.isEmpty
                ? Components.empty(
                    "No sample to place",
                    .tag("p", [:], "No sample fits, or none that fits has a vector \(name). "),
                    Components.link("Show all samples", to: Query([("map", name)]).address("/map")))
                : drawing(query, name, map, listing, visit),
            chosen.map { self.chosen($0, query, name, visit) } ?? .empty)
    }

    /// While the map is being made, or where it cannot be.
    static func without(
        _ query: MapQuery, _ name: String, _ message: String, isWaiting: Bool, _ choices: Choices, _ layout: Layout
    ) -> Markup {
        layout.page(
            .tag("h1", [:], "Map"), toolbar(query, name, choices, layout.visit),
            isWaiting
                ? .tag("p", ["role": "status", "id": "making"], "\(message)")
                : .tag("p", ["class": "warning", "role": "alert"], "\(message)"))
    }

    private static func summary(_ listing: MapListing, _ name: String) -> String {
        var text = "\(Figure.grouped(listing.samples.count)) samples"
        if listing.unplaced > 0 {
            text += "; \(Figure.grouped(listing.unplaced)) that fit have no vector \(name)"
        }
        if listing.isCut { text += "; more fit than a map shows: narrow the condition" }
        return text
    }

    private static func toolbar(_ query: MapQuery, _ name: String, _ choices: Choices, _ visit: Visit) -> Markup {
        .tag(
            "form",
            ["class": "toolbar", "method": "get", "action": "/map", "data-submit": "change", "id": "toolbar"],
            .tag(
                "label", ["class": "field grow"], .tag("span", [:], "Condition"),
                .tag(
                    "input",
                    [
                        "name": "where", "value": visit.query["where"] ?? "", "spellcheck": "false",
                        "autocomplete": "off", "placeholder": "mi > 4 AND prompt LIKE '%star%'",
                    ])),
            Components.choice(
                "map", label: "Vectors",
                choices.maps.map { ($0.name, $0.width == 2 ? $0.name : "\($0.name) (PCA)") }, chosen: name),
            Components.choice(
                "color", label: "Color", [("", "none")] + choices.columns.map { ($0, $0) }, chosen: query.color ?? ""),
            Components.choice(
                "in", label: "Within selection", [("", "all")] + choices.selections.map { ($0, $0) },
                chosen: query.within ?? ""),
            kept(["search", "prompt"], visit),
            query.lasso.map { lasso -> Markup in
                [SamplePage.hidden("lasso", lasso.text), SamplePage.hidden("of", name)]
            } ?? .empty,
            .tag("button", ["class": "primary"], "Show"))
    }

    private static func kept(_ names: [String], _ visit: Visit) -> Markup {
        .group(names.compactMap { name in visit.query[name].map { SamplePage.hidden(name, $0) } })
    }

    private static func chips(_ query: MapQuery, _ visit: Visit) -> Markup {
        var chips: [(text: String, without: [String])] = []
        if let search = query.search { chips.append(("search: \(Components.shortened(search, to: 60))", ["search"])) }
        if let prompt = query.prompt { chips.append(("prompt: \(Components.shortened(prompt, to: 60))", ["prompt"])) }
        if let condition = query.condition {
            chips.append(("where \(Components.shortened(condition, to: 60))", ["where"]))
        }
        if query.lasso != nil { chips.append(("an area of the map", ["lasso", "of", "x0", "x1", "y0", "y1"])) }
        return Components.chips(chips, visit, path: "/map")
    }

    private static func drawing(
        _ query: MapQuery, _ name: String, _ map: EmbeddingMap, _ listing: MapListing, _ visit: Visit
    ) -> Markup {
        let bounds = listing.bounds ?? (0...1, 0...1)
        let axes = map.embedding.axes.map(axis)
        let state = visit.query.with(["map": name, "lasso": nil, "of": nil, "x0": nil, "x1": nil, "y0": nil, "y1": nil])
        return .tag(
            "section", ["class": "card"],
            .tag("h2", ["class": "hidden"], "Points"),
            .tag(
                "div",
                [
                    "id": "map", "class": "map", "data-query": state.encoded,
                    "data-kind": MapColors.kind(listing.coloring), "data-lasso": query.lasso?.text ?? "",
                    "data-texts": MapColors.texts.joined(separator: " "),
                    "data-ramp": MapColors.ramp.joined(separator: " "), "data-missing": MapColors.missing,
                    "data-x": "\(bounds.x.lowerBound) \(bounds.x.upperBound)",
                    "data-y": "\(bounds.y.lowerBound) \(bounds.y.upperBound)", "data-range": range(listing.coloring),
                ],
                .tag("canvas", ["id": "map-points", "aria-hidden": "true"]),
                .tag("div", ["id": "map-ticks", "aria-hidden": "true"]),
                .tag(
                    "canvas",
                    [
                        "id": "map-area", "tabindex": "0", "role": "application", "aria-describedby": "map-help",
                        "aria-label":
                            "Map of \(Figure.grouped(listing.samples.count)) samples: \(axes[0]) across, \(axes[1]) up",
                    ]),
                .tag("div", ["id": "map-hint", "hidden": ""])),
            .tag("p", ["class": "map-axes"], .tag("span", [:], "→ \(axes[0])"), .tag("span", [:], "↑ \(axes[1])")),
            query.color.map { MapColors.legend(listing.coloring, column: $0) } ?? .empty,
            .tag(
                "p", ["class": "quiet", "id": "map-help"],
                "Draw around points to choose them, or click one to open it. With the keyboard: arrows move the cross, with Shift faster; Space sets a corner, Enter takes the area (two corners are a rectangle), Escape drops it."
            ),
            .tag(
                "form", ["class": "bar", "method": "get", "action": "/map", "aria-label": "A rectangle by its ends"],
                .group(
                    [("x0", "across from"), ("x1", "to"), ("y0", "up from"), ("y1", "to")].map { field in
                        .tag(
                            "label", ["class": "field"], .tag("span", [:], "\(field.1)"),
                            .tag(
                                "input",
                                [
                                    "name": field.0, "type": "number", "step": "any", "required": "",
                                    "value": visit.query[field.0] ?? "",
                                ]))
                    }),
                SamplePage.hidden("map", name), kept(["where", "color", "search", "prompt", "in"], visit),
                .tag("button", [:], "Choose the rectangle")),
            .tag("noscript", [:], .tag("p", ["class": "warning"], "Drawing the points needs JavaScript.")))
    }

    private static func axis(_ axis: Embedding.Axis) -> String {
        axis.name + (axis.share.map { " (\(Figure.fixed(100 * $0, 0)) % of the variance)" } ?? "")
    }

    private static func range(_ coloring: MapListing.Coloring) -> String {
        guard case .numbers(_, let range) = coloring else { return "0 1" }
        return "\(range.lowerBound) \(range.upperBound)"
    }

    private static func chosen(_ chosen: Chosen, _ query: MapQuery, _ name: String, _ visit: Visit) -> Markup {
        let lasso = query.lasso?.text ?? ""
        let state = visit.query.with([
            "map": name, "lasso": lasso, "of": nil, "x0": nil, "x1": nil, "y0": nil, "y1": nil, "color": nil,
        ])
        let grid = state.with(["view": "all"]).address("/samples")
        return .tag(
            "section", ["class": "card", "id": "chosen"],
            .tag("h2", [:], "\(Figure.grouped(chosen.count)) samples in the area"),
            chosen.count == 0
                ? .tag("p", [:], "No point is in the area. Draw it elsewhere.")
                : [
                    .tag("p", [:], .tag("a", ["class": "button", "href": grid], "Show them in the grid")),
                    visit.mayEdit ? store(state, visit) : .empty,
                    .tag(
                        "div", ["class": "strip wrap"],
                        chosen.rows.map { sample in
                            .tag(
                                "div", ["class": "tile"],
                                .tag(
                                    "a", ["href": "/samples/\(sample.row.id)"],
                                    Components.image(sample.row, side: GridQuery.Size.small.pixels)))
                        }),
                ])
    }

    private static func store(_ state: Query, _ visit: Visit) -> Markup {
        .tag(
            "form", ["class": "bar", "method": "post", "action": "/selections", "aria-label": "Keep the area"],
            Components.csrf(visit), SamplePage.hidden("state", state.encoded),
            .tag(
                "label", ["class": "field"], .tag("span", [:], "Selection"),
                .tag(
                    "input",
                    [
                        "name": "name", "required": "", "autocomplete": "off", "placeholder": "name",
                        "pattern": "[A-Za-z0-9_][A-Za-z0-9._\\-]*", "value": visit.query["in"] ?? "",
                    ])),
            .tag(
                "button",
                [
                    "name": "action", "value": "area", "class": "primary",
                    "title": "The selection becomes the samples in the area",
                ], "Store as the selection"),
            .tag(
                "button", ["name": "action", "value": "area-add", "title": "Adds the samples in the area to it"],
                "Add to the selection"))
    }
}
