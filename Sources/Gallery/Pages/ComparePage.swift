import CorpusStore
import Markup
import Plots

enum ComparePage {
    struct Choices: Sendable {
        var selections: [String]
        var adapters: [String]
        /// Named when the gallery was started.
        var folders: [String] = []
    }

    /// The form that asks what to compare.
    static func start(_ choices: Choices, message: String? = nil, _ layout: Layout) -> Markup {
        layout.page(
            .tag("h1", [:], "Compare"),
            message.map { .tag("p", ["class": "warning", "role": "alert"], "\($0)") } ?? .empty,
            .tag(
                "p", [:],
                "Two sides, image by image: samples of one prompt and seed side by side, or of one prompt where the sides share no seed. Blind, the page does not say which side is which."
            ),
            form(choices, layout.visit),
            choices.adapters.isEmpty && choices.selections.isEmpty && choices.folders.isEmpty
                ? Components.empty(
                    "Nothing to compare yet",
                    .tag("p", [:], "Compare a tuned model with its base by generating with both, from the same seeds:"),
                    Components.command(
                        "attune generate --model MODEL --prompts PROMPTS.txt --images-per-prompt 4\nattune generate --model MODEL --prompts PROMPTS.txt --images-per-prompt 4 --adapter RUN/adapter/pytorch_lora_weights.safetensors"
                    ),
                    .tag("p", [:], "Or name two folders that attune sample has filled:"),
                    Components.command("attune serve --folder base=DIR --folder tuned=DIR")) : .empty)
    }

    private static func form(_ choices: Choices, _ visit: Visit) -> Markup {
        let known =
            [(value: "adapter:none", text: "base: without an adapter")]
            + choices.adapters.map { (value: "adapter:\($0)", text: "tuned: adapter \($0.prefix(12))") }
            + choices.selections.map { (value: "selection:\($0)", text: "selection \($0)") }
            + choices.folders.map { (value: "folder:\($0)", text: "folder \($0)") }
        func side(_ name: String, _ label: String, _ standard: String?) -> Markup {
            let given = visit.query[name] ?? standard
            let isCondition = given?.hasPrefix("where:") ?? false
            return .tag(
                "fieldset", [:],
                .tag("legend", [:], "\(label)"),
                Components.choice(
                    name, label: "Samples", known + [(value: "where:", text: "by a condition:")],
                    chosen: isCondition ? "where:" : given),
                .tag(
                    "label", ["class": "field"], .tag("span", [:], "Condition"),
                    .tag(
                        "input",
                        [
                            "name": "\(name)-where", "placeholder": "tag = 'demo'", "autocomplete": "off",
                            "value": isCondition ? String(given?.dropFirst(6) ?? "") : "",
                        ])))
        }
        return .tag(
            "form", ["class": "card sides", "method": "get", "action": "/compare"],
            side(
                "left", "Left",
                choices.folders.count > 1 && choices.adapters.isEmpty ? "folder:\(choices.folders[0])" : "adapter:none"),
            side(
                "right", "Right",
                choices.folders.count > 1 && choices.adapters.isEmpty
                    ? "folder:\(choices.folders[1])"
                    : choices.adapters.first.map { "adapter:\($0)" }
                        ?? choices.selections.first.map { "selection:\($0)" }),
            .tag(
                "label", ["class": "check"],
                .tag(
                    "input",
                    [
                        "type": "checkbox", "name": "blind", "value": "1",
                        "checked": visit.query["left"] == nil || visit.query["blind"] == "1" ? "" : nil,
                    ]), "blind"),
            .tag("button", ["class": "primary"], "Compare"))
    }

    /// The button, and the key, that give the vote to the first or the second image.
    private static func winner(_ number: Int) -> Markup {
        .tag(
            "button", ["name": "winner", "value": "\(number)", "class": "primary"],
            "\(number == 1 ? "First" : "Second") is better ", .tag("kbd", [:], "\(number)"))
    }

    private static let tie = Markup.tag(
        "button", ["name": "winner", "value": "0", "class": "tie"], "As good as each other ", .tag("kbd", [:], "0"))

    /// - Parameter size: of an image of a folder, in pixels.
    private static func image(
        _ image: ComparedImage, alt: String, _ size: (FolderImage) -> (width: Int, height: Int)
    ) -> Markup {
        switch image.source {
        case .sample(let row): return Components.image(row, side: 512, isLarge: true, alt: alt)
        case .file(let file):
            let (width, height) = size(file)
            return .tag(
                "img",
                [
                    "src": "/folders/\(file.token)", "alt": alt, "width": "\(width)", "height": "\(height)",
                    "decoding": "async", "class": max(width, height) <= 256 ? "large pixelated" : "large",
                ])
        }
    }

    /// An image's own page, where it has one.
    private static func caption(_ image: ComparedImage, _ name: String) -> Markup {
        switch image.source {
        case .sample(let row): Components.link(name, to: "/samples/\(row.id)")
        case .file(let file):
            .tag("span", [:], "\(name): ", .tag("span", ["class": "value"], "\(file.file)"))
        }
    }

    /// One pair of a comparison.
    ///
    /// - Parameter size: of an image of a folder, in pixels.
    static func pair(
        _ comparison: Comparison, place: Int, sides: (left: ComparisonSide, right: ComparisonSide), isBlind: Bool,
        tally: Comparison.Tally, size: (FolderImage) -> (width: Int, height: Int), _ layout: Layout
    ) -> Markup {
        let visit = layout.visit
        let pair = comparison.pairs[place]
        let isSwapped = isBlind && Comparison.isSwapped(pair)
        let shown = isSwapped ? [pair.right, pair.left] : [pair.left, pair.right]
        let names =
            isBlind
            ? ["Image 1", "Image 2"]
            : [sides.left.name, sides.right.name]
        let next = place + 1 < comparison.pairs.count ? place + 1 : nil
        func address(_ place: Int) -> String { visit.query.with(["i": String(place)]).address("/compare") }
        return layout.page(
            .tag("h1", ["class": "prompt"], "\(pair.left.prompt)"),
            .tag(
                "p", ["class": "quiet"],
                "Pair \(place + 1) of \(comparison.pairs.count), \(comparison.sharesSeeds ? "same prompt and seed" : "same prompt, other seeds")\(comparison.sharesSeeds && !isBlind ? " \(pair.left.seed ?? "")" : "")."
            ),
            .tag(
                "form",
                [
                    "class": "versus", "method": "post", "action": "/votes", "id": "versus",
                    "data-next": next.map { address($0) }, "data-previous": place > 0 ? address(place - 1) : nil,
                ],
                Components.csrf(visit),
                SamplePage.hidden("first", shown[0].id), SamplePage.hidden("second", shown[1].id),
                SamplePage.hidden("back", address(next ?? place)),
                .group(
                    shown.indices.map { index in
                        .tag(
                            "figure", ["class": "side"],
                            image(
                                shown[index],
                                alt: "\(names[index]) of \(Components.shortened(pair.left.prompt, to: 200))", size),
                            .tag(
                                "figcaption", [:],
                                isBlind
                                    ? .tag("span", [:], "\(names[index])")
                                    : caption(shown[index], names[index])),
                            visit.mayEdit ? winner(index + 1) : .empty)
                    }),
                visit.mayEdit
                    ? tie
                    : .tag("p", ["class": "quiet tie"], "Votes need attune serve --allow-edits.")),
            .tag(
                "nav", ["class": "neighbors", "aria-label": "Pairs"],
                place > 0
                    ? .tag("a", ["rel": "prev", "href": address(place - 1)], "← previous pair") : .tag("span", [:]),
                next.map { .tag("a", ["rel": "next", "href": address($0)], "next pair →") } ?? .tag("span", [:])),
            result(comparison, sides, tally, isBlind: isBlind, visit))
    }

    private static func result(
        _ comparison: Comparison, _ sides: (left: ComparisonSide, right: ComparisonSide), _ tally: Comparison.Tally,
        isBlind: Bool, _ visit: Visit
    ) -> Markup {
        let judged = "\(tally.judged) of \(comparison.pairs.count) pairs judged"
        // What has been judged so far must not sway later judgments.
        if isBlind, tally.judged < comparison.pairs.count, visit.query["reveal"] != "1" {
            return .tag(
                "section", ["class": "card"], .tag("h2", [:], "Result"),
                .tag(
                    "p", [:], "\(judged). The result is hidden until all are. ",
                    Components.link(
                        "Show it now", to: visit.query.with(["reveal": "1", "blind": nil]).address("/compare"))))
        }
        let share = tally.share.map { share in
            "\(sides.left.name) wins \(Figure.fixed(100 * share.value, 0)) % of the decided pairs (95 % interval \(Figure.fixed(100 * share.low, 0)) to \(Figure.fixed(100 * share.high, 0)) %)."
        }
        return .tag(
            "section", ["class": "card", "id": "result"], .tag("h2", [:], "Result"),
            Components.facts([
                (sides.left.name, "\(tally.left) preferred"), (sides.right.name, "\(tally.right) preferred"),
                ("as good as each other", "\(tally.ties)"),
            ]),
            .tag("p", [:], "\(judged). \(share ?? "")"),
            comparison.pairs.contains(where: \.isOfSamples)
                ? [
                    .tag(
                        "p", ["class": "quiet"],
                        "Votes are the annotation “votes”: comparisons won less comparisons lost. Train on the pairs with"
                    ), Components.command("attune train SELECTION --loss dpo --pairs-by votes --margin 1"),
                ]
                : .tag(
                    "p", ["class": "quiet"], "Votes on images of folders are lines of comparisons/folders.jsonl.")
        )
    }

    /// Two samples side by side, with what differs between them.
    static func two(_ first: SampleDetail, _ second: SampleDetail, _ layout: Layout) -> Markup {
        let visit = layout.visit
        let scores = Dictionary(second.scores.map { ($0.name, $0.value) }) { first, _ in first }
        let rows = first.scores.compactMap { score -> [Markup]? in
            guard let other = scores[score.name] else { return nil }
            return [
                "\(score.name)", "\(Figure.short(score.value))", "\(Figure.short(other))",
                "\(score.value > other ? "+" : "")\(Figure.short(score.value - other))",
            ]
        }
        let others = Dictionary(second.settings.map { ($0.name, $0.value) }) { first, _ in first }
        let settings = first.settings.compactMap { setting -> [Markup]? in
            guard let other = others[setting.name], other != setting.value else { return nil }
            return [
                "\(setting.name)", .tag("span", ["class": "value"], "\(setting.value)"),
                .tag("span", ["class": "value"], "\(other)"),
            ]
        }
        let lines = [(first, "first", LineChart.Style.first), (second, "second", .second)].compactMap {
            detail, name, style in
            detail.traces.first { $0.id == detail.row.id }.map { trace in
                LineChart.Line(name: name, trace.points.map { (Double($0.timestep), $0.value) }, style: style)
            }
        }
        let chart = LineChart(
            title: "MI traces of the two samples", x: "timestep t, from noise (left) to image (right)",
            y: "‖ε(z,p,t) − ε(z,∅,t)‖²", lines: lines, isDescending: true, startsAtZero: true
        ).markup
        return layout.page(
            .tag("h1", [:], "Two samples"),
            .tag(
                "form", ["class": "versus", "method": "post", "action": "/votes", "id": "versus"],
                Components.csrf(visit),
                SamplePage.hidden("first", first.row.id.hex), SamplePage.hidden("second", second.row.id.hex),
                SamplePage.hidden("back", visit.query.address("/compare")),
                .group(
                    [(first, 1), (second, 2)].map { detail, number in
                        .tag(
                            "figure", ["class": "side"],
                            Components.image(detail.row, side: 512, isLarge: true),
                            .tag(
                                "figcaption", [:], Components.link(detail.row.prompt, to: "/samples/\(detail.row.id)")),
                            visit.mayEdit ? winner(number) : .empty)
                    }),
                visit.mayEdit
                    ? tie : .empty),
            .tag(
                "section", ["class": "card"], .tag("h2", [:], "Scores"),
                Components.table("Scores of both", ["Score", "First", "Second", "Difference"], rows)),
            settings.isEmpty
                ? .empty
                : .tag(
                    "section", ["class": "card"], .tag("h2", [:], "What differs"),
                    Components.table("Settings that differ", ["Setting", "First", "Second"], settings)),
            chart.map { .tag("section", ["class": "card"], .tag("h2", [:], "Traces"), $0) } ?? .empty)
    }
}
