import CorpusStore
import Foundation
import Markup
import Plots
import Workflows

/// Groups of near-duplicates: the best of each first, the others to be rejected.
enum DuplicatesPage {
    struct Choices: Sendable {
        var scores: [String]
        /// Ways to compare.
        var methods: [String]
    }

    struct Group: Sendable {
        /// From 1.
        let number: Int
        let distance: Double
        let count: Int
        /// The best first.
        let members: [BrowsedSample]
    }

    /// Groups of a page, and images of a group.
    static let (pageSize, mostMembers) = (20, 60)

    static func page(
        _ query: DuplicateQuery, _ found: DuplicateGroups, _ groups: [Group], _ choices: Choices, _ layout: Layout
    ) -> Markup {
        let visit = layout.visit
        let count = found.groups.count
        return layout.page(
            .tag("h1", [:], "Near-duplicates"),
            toolbar(query, choices, visit),
            .tag(
                "div", ["class": "status"],
                .tag(
                    "p", ["id": "count"],
                    "\(Figure.grouped(count)) groups among \(Figure.grouped(found.looked)) samples; \(Figure.grouped(found.redundant)) are not the best of theirs\(found.isCut ? "; more fit than are looked at: narrow the condition" : "")"
                )),
            count == 0
                ? Components.empty(
                    "No near-duplicates",
                    .tag(
                        "p", [:],
                        "No two samples that fit are nearer than \(Figure.fixed(query.nearness.usedThreshold, 2)). A larger distance finds more."
                    ))
                : [
                    .tag(
                        "p", ["class": "quiet"],
                        visit.mayEdit
                            ? "The best by \(query.by) comes first. On an image: Space keeps it, x rejects it, k keeps it and rejects the others of its group. What is kept and rejected are picks, which a selection takes or leaves."
                            : "The best by \(query.by) comes first. Keeping and rejecting needs attune serve --allow-edits."
                    ),
                    .group(groups.map { group($0, query, visit) }),
                    pages(query, count, visit),
                    .tag(
                        "section", ["class": "card"], .tag("h2", [:], "All at once"),
                        .tag("p", [:], "A selection of the best of every group, and of all that is in none:"),
                        Components.command(command(query))),
                ])
    }

    /// While the search is under way, or where it failed.
    static func without(
        _ query: DuplicateQuery?, _ message: String, isWaiting: Bool, _ choices: Choices, _ layout: Layout
    ) -> Markup {
        layout.page(
            .tag("h1", [:], "Near-duplicates"),
            query.map { toolbar($0, choices, layout.visit) } ?? .empty,
            isWaiting
                ? .tag("p", ["role": "status", "id": "making"], "\(message)")
                : .tag("p", ["class": "warning", "role": "alert"], "\(message)"))
    }

    private static func toolbar(_ query: DuplicateQuery, _ choices: Choices, _ visit: Visit) -> Markup {
        .tag(
            "form",
            ["class": "toolbar", "method": "get", "action": "/duplicates", "data-submit": "change", "id": "toolbar"],
            .tag(
                "label", ["class": "field grow"], .tag("span", [:], "Condition"),
                .tag(
                    "input",
                    [
                        "name": "where", "value": query.condition ?? "", "spellcheck": "false", "autocomplete": "off",
                        "placeholder": "mi > 4 AND prompt LIKE '%star%'",
                    ])),
            Components.choice(
                "near", label: "Compare",
                choices.methods.map { ($0, $0 == "phash" ? "images" : $0) }, chosen: query.near),
            .tag(
                "label", ["class": "field"], .tag("span", [:], "Largest distance"),
                .tag(
                    "input",
                    [
                        "name": "threshold", "type": "number", "min": "0", "max": "1.4", "step": "any",
                        "value": visit.query["threshold"] ?? "",
                        "placeholder": Figure.fixed(Nearness(query.nearness.method).usedThreshold, 2),
                    ])),
            Components.choice("by", label: "Best by", choices.scores.map { ($0, $0) }, chosen: query.by),
            .tag("button", ["class": "primary"], "Show"))
    }

    private static func group(_ group: Group, _ query: DuplicateQuery, _ visit: Visit) -> Markup {
        let best = group.members.first
        return .tag(
            "section", ["class": "card near", "aria-label": "Group \(group.number)"],
            .tag(
                "div", ["class": "near-head"],
                .tag(
                    "h2", [:],
                    "Group \(group.number): \(group.count) samples, distance up to \(Figure.fixed(group.distance, 3))"),
                visit.mayEdit && best != nil
                    ? .tag(
                        "button", ["type": "button", "class": "primary", "data-keep": best?.row.id.hex ?? ""],
                        "Keep the best, reject the others")
                    : .empty),
            .tag(
                "div", ["class": "strip wrap near-strip"],
                group.members.enumerated().map { place, sample in tile(sample, isBest: place == 0, visit) }),
            group.count > group.members.count
                ? .tag("p", ["class": "quiet"], "\(group.count - group.members.count) more are not shown.") : .empty)
    }

    private static func tile(_ sample: BrowsedSample, isBest: Bool, _ visit: Visit) -> Markup {
        let pick = sample.annotations[Mark.pick] ?? 0
        func button(_ value: Int, _ text: String) -> Markup {
            .tag(
                "button",
                [
                    "type": "button", "data-value": "\(value)",
                    "aria-pressed": (value > 0 ? pick > 0 : pick < 0) ? "true" : "false",
                    "aria-label": "\(text) seed \(sample.row.seed)",
                ], "\(text)")
        }
        return .tag(
            "div",
            [
                "class": "tile" + (isBest ? " chosen" : "") + (pick > 0 ? " picked" : pick < 0 ? " rejected" : ""),
                "data-id": sample.row.id.hex, "data-pick": "\(pick > 0 ? 1 : pick < 0 ? -1 : 0)",
            ],
            .tag(
                "a", ["href": "/samples/\(sample.row.id)"],
                Components.image(sample.row, side: GridQuery.Size.medium.pixels)),
            .tag(
                "span", ["class": "caption"],
                .tag("span", ["class": "score"], "\(sample.score.map { Figure.short($0) } ?? "–")"),
                .tag("span", [:], isBest ? "best" : "")),
            visit.mayEdit
                ? .tag(
                    "div", ["class": "near-buttons", "role": "group", "aria-label": "Mark"], button(1, "Keep"),
                    button(-1, "Reject"))
                : .empty)
    }

    private static func pages(_ query: DuplicateQuery, _ count: Int, _ visit: Visit) -> Markup {
        guard count > pageSize else { return .empty }
        func link(_ from: Int, _ text: String, _ relation: String) -> Markup {
            guard from >= 0, from < count else { return .tag("span", [:]) }
            return .tag(
                "a", ["rel": relation, "href": visit.query.with(["from": "\(from)"]).address("/duplicates")], "\(text)")
        }
        return .tag(
            "nav", ["class": "neighbors", "aria-label": "Groups"],
            link(query.from - pageSize, "← larger groups", "prev"),
            .tag("span", ["class": "quiet"], "from group \(query.from + 1) of \(count)"),
            link(query.from + pageSize, "smaller groups →", "next"))
    }

    private static func command(_ query: DuplicateQuery) -> String {
        var words = "attune select clean --no-near-duplicates --by \(query.by)"
        if query.near != "phash" { words += " --near-by \(query.near)" }
        if let threshold = query.threshold { words += " --near-threshold \(threshold)" }
        if let condition = query.condition {
            words += " --where '\(condition.replacingOccurrences(of: "'", with: "'\\''"))'"
        }
        return words
    }
}
