import CorpusStore
import Markup
import Plots

enum SamplePage {
    static func page(_ detail: SampleDetail, selections: [(name: String, digest: Digest?)], _ layout: Layout) -> Markup
    {
        let row = detail.row
        return layout.page(
            .tag(
                "article", ["class": "sample", "data-id": row.id.hex, "id": "sample"],
                .tag(
                    "div", ["class": "stage"],
                    .tag(
                        "a", ["href": "/images/\(row.id).png", "aria-label": "The image alone"],
                        Components.image(row, side: 512, isLarge: true)),
                    neighbors(detail)),
                .tag(
                    "div", ["class": "about"],
                    .tag("h1", ["class": "prompt"], "\(row.prompt)"),
                    .tag("p", ["class": "quiet"], .tag("code", ["class": "digest"], "\(row.id.hex)")),
                    marks(detail, layout.visit),
                    scores(detail),
                    membership(detail, selections, layout.visit),
                    .tag(
                        "section", ["class": "card"], .tag("h2", [:], "Provenance"),
                        Components.facts(
                            detail.settings.map { ($0.name, .tag("span", ["class": "value"], "\($0.value)")) })))),
            traces(detail),
            candidates(detail))
    }

    /// The candidates before and after, by MI.
    private static func neighbors(_ detail: SampleDetail) -> Markup {
        guard let place = detail.candidates.firstIndex(where: { $0.row.id == detail.row.id }) else { return .empty }
        func link(_ place: Int, _ text: String, _ relation: String) -> Markup {
            guard detail.candidates.indices.contains(place) else { return .tag("span", [:]) }
            return .tag("a", ["rel": relation, "href": "/samples/\(detail.candidates[place].row.id)"], "\(text)")
        }
        return .tag(
            "nav", ["class": "neighbors", "aria-label": "Candidates of this prompt"],
            link(place - 1, "← higher MI", "prev"),
            .tag("span", ["class": "quiet"], "\(place + 1) of \(detail.candidateCount)"),
            link(place + 1, "lower MI →", "next"))
    }

    private static func marks(_ detail: SampleDetail, _ visit: Visit) -> Markup {
        let stars = Int(detail.annotations[Mark.stars] ?? 0)
        let pick = detail.annotations[Mark.pick] ?? 0
        let tags = Mark.tags(detail.annotations)
        guard visit.mayEdit else {
            return Components.facts([
                ("stars", stars > 0 ? "\(String(repeating: "★", count: stars))" : "none"),
                ("pick", pick > 0 ? "picked" : pick < 0 ? "rejected" : "neither"),
                ("tags", tags.isEmpty ? "none" : "\(tags.joined(separator: ", "))"),
            ])
        }
        return .tag(
            "section", ["class": "card marks", "aria-label": "Marks"],
            .tag(
                "div", ["class": "stars", "role": "group", "aria-label": "Stars"],
                (1...5).map { count in
                    .tag(
                        "button",
                        [
                            "type": "button", "data-mark": Mark.stars, "data-value": "\(count)",
                            "aria-label": count == 1 ? "1 star" : "\(count) stars",
                            "aria-pressed": count <= stars ? "true" : "false",
                        ], "★")
                }),
            .tag(
                "div", ["class": "bar"],
                .tag(
                    "button",
                    [
                        "type": "button", "data-mark": Mark.pick, "data-value": "1",
                        "aria-pressed": pick > 0 ? "true" : "false",
                    ], "Pick"),
                .tag(
                    "button",
                    [
                        "type": "button", "data-mark": Mark.pick, "data-value": "-1",
                        "aria-pressed": pick < 0 ? "true" : "false",
                    ], "Reject")),
            .tag(
                "form", ["class": "bar", "id": "tag-form"],
                .tag(
                    "label", ["class": "field"], .tag("span", [:], "Tag"),
                    .tag(
                        "input",
                        [
                            "name": "tag", "pattern": "[a-z0-9_]{1,60}", "required": "", "placeholder": "a–z, 0–9, _",
                            "autocomplete": "off",
                        ])),
                .tag("button", [:], "Add"),
                .tag(
                    "ul", ["class": "chips", "id": "tags", "aria-label": "Tags"],
                    tags.map { tag in
                        .tag(
                            "li", [:],
                            .tag(
                                "button",
                                [
                                    "type": "button", "data-mark": Mark.tagPrefix + tag, "data-value": "0",
                                    "aria-label": "Remove the tag \(tag)",
                                ], "\(tag) ×"))
                    })))
    }

    private static func scores(_ detail: SampleDetail) -> Markup {
        let place = detail.scores.first { $0.name == "mi" }?.place
        return .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Scores"),
            detail.scores.isEmpty
                ? .tag("p", ["class": "quiet"], "No scorer has seen this sample. `attune score` measures its MI.")
                : Components.facts(
                    detail.scores.map { score in
                        (score.name, .tag("span", ["class": "value"], "\(Figure.short(score.value))"))
                    }),
            place.map { place in
                .tag(
                    "p", ["class": "quiet"],
                    "Number \(place) of the \(detail.candidateCount) candidates of its prompt by MI\(detail.row.miSource.map { ", measured by \($0)" } ?? "")."
                )
            } ?? .empty)
    }

    private static func membership(
        _ detail: SampleDetail, _ selections: [(name: String, digest: Digest?)], _ visit: Visit
    ) -> Markup {
        guard !selections.isEmpty else { return .empty }
        return .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Selections"),
            .tag(
                "ul", ["class": "members"],
                selections.map { selection in
                    let isMember = detail.selections.contains(selection.name)
                    return .tag(
                        "li", [:],
                        Components.link(selection.name, to: Query([("in", selection.name)]).address("/samples")),
                        .tag("span", ["class": "quiet"], isMember ? "has this sample" : "does not have it"),
                        visit.mayEdit
                            ? .tag(
                                "form", ["method": "post", "action": "/selections"],
                                Components.csrf(visit),
                                hidden("name", selection.name),
                                hidden("seen", selection.digest?.hex ?? ""),
                                hidden("id", detail.row.id.hex),
                                hidden("back", "/samples/\(detail.row.id)"),
                                .tag(
                                    "button",
                                    [
                                        "name": "action", "value": isMember ? "remove" : "add",
                                        "aria-label": isMember
                                            ? "Remove from \(selection.name)" : "Add to \(selection.name)",
                                    ], isMember ? "Remove" : "Add"))
                            : .empty)
                }))
    }

    static func hidden(_ name: String, _ value: String) -> Markup {
        .tag("input", ["type": "hidden", "name": name, "value": value])
    }

    private static func traces(_ detail: SampleDetail) -> Markup {
        let own = detail.traces.first { $0.id == detail.row.id }
        let others = detail.traces.filter { $0.id != detail.row.id }
        func line(_ trace: SampleDetail.Trace, _ name: String, _ style: LineChart.Style) -> LineChart.Line {
            LineChart.Line(name: name, trace.points.map { (Double($0.timestep), $0.value) }, style: style)
        }
        let lines =
            others.map { line($0, "other candidates of the prompt (\(others.count))", .faint) }
            + (own.map { [line($0, "this sample", .second)] } ?? [])
        let chart = LineChart(
            title: "MI trace of this sample against \(others.count) other candidates of its prompt",
            x: "timestep t, from noise (left) to image (right)", y: "‖ε(z,p,t) − ε(z,∅,t)‖²", lines: lines,
            isDescending: true,
            startsAtZero: true
        ).markup
        return .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Trace over the timesteps"),
            detail.traceProblem.map { .tag("p", ["class": "warning"], "\($0)") } ?? .empty,
            chart
                ?? .tag(
                    "p", ["class": "quiet"],
                    "The samples of this prompt have no trace: they were imported. `attune score` measures MI without one."
                ))
    }

    private static func candidates(_ detail: SampleDetail) -> Markup {
        guard detail.candidates.count > 1 else { return .empty }
        return .tag(
            "section", [:],
            .tag("h2", [:], "Candidates of this prompt, by MI"),
            .tag(
                "div", ["class": "strip wrap"],
                detail.candidates.map { candidate in
                    let isSelf = candidate.row.id == detail.row.id
                    return .tag(
                        "div", ["class": "tile" + (isSelf ? " chosen" : "")],
                        .tag(
                            "a", ["href": "/samples/\(candidate.row.id)", "aria-current": isSelf ? "true" : nil],
                            Components.image(candidate.row, side: 192, alt: "Candidate with seed \(candidate.row.seed)")
                        ),
                        .tag(
                            "span", ["class": "caption"],
                            .tag("span", ["class": "score"], "\(candidate.score.map { Figure.short($0) } ?? "–")"),
                            isSelf
                                ? "this one"
                                : .tag(
                                    "a",
                                    [
                                        "href": "/compare?a=\(detail.row.id)&b=\(candidate.row.id)",
                                        "aria-label": "Compare with seed \(candidate.row.seed)",
                                    ], "compare")))
                }),
            detail.candidateCount > detail.candidates.count
                ? .tag(
                    "p", [:],
                    Components.link(
                        "All \(Figure.grouped(detail.candidateCount)) candidates",
                        to: Query([("prompt", detail.row.prompt), ("view", "all")]).address("/samples"))) : .empty)
    }
}
