import CorpusStore
import Markup
import Plots
import Workflows

/// A run while it trains, and afterwards. The part that changes is also given alone.
enum RunPage {
    static func page(_ run: RunHistories.Run, _ layout: Layout) -> Markup {
        layout.page(
            .tag("h1", [:], "Run \(run.name)"),
            live(run),
            validations(run),
            .tag(
                "section", ["class": "card"], .tag("h2", [:], "Settings"),
                run.history.settings.values.isEmpty
                    ? .tag("p", ["class": "quiet"], "The run has not written its settings yet.")
                    : Components.facts(
                        [("model", .tag("span", ["class": "value"], "\(run.history.settings.model ?? "–")"))]
                            + run.history.settings.values.map {
                                ($0.name, .tag("span", ["class": "value"], "\($0.value)"))
                            })))
    }

    /// What scripts replace while the run is live.
    static func live(_ run: RunHistories.Run) -> Markup {
        let history = run.history
        return .tag(
            "div",
            [
                "id": "live", "data-run": run.name, "data-version": run.version, "data-state": RunsPage.state(run),
                "data-step": "\(history.step)",
            ],
            figures(run),
            history.damagedLine.map {
                .tag(
                    "p", ["class": "warning", "role": "alert"],
                    "Line \($0) of the run's log cannot be understood; the plots leave it out.")
            } ?? .empty,
            history.steps.isEmpty
                ? Components.empty("No step yet", .tag("p", [:], "The plots appear with the run's first step."))
                : .tag("div", ["class": "charts"], charts(history)))
    }

    private static func figures(_ run: RunHistories.Run) -> Markup {
        let history = run.history
        func figure(_ value: String, _ what: String) -> Markup {
            .tag("li", [:], .tag("div", [:], .tag("strong", [:], "\(value)"), .tag("span", [:], "\(what)")))
        }
        let all = history.settings.steps
        return [
            .tag(
                "ul", ["class": "figures"],
                figure(RunsPage.state(run), "state"),
                figure("\(history.step)\(all.map { " / \($0)" } ?? "")", "steps"),
                figure(history.steps.last.map { Figure.short($0.loss) } ?? "–", "loss"),
                figure(history.evaluations.last.map { Figure.short($0.loss) } ?? "–", "evaluation loss"),
                figure(Figure.grouped(history.steps.last?.samples ?? 0), "samples seen"),
                figure(run.history.isFinished ? "–" : run.remaining.map { Figure.clock($0) } ?? "–", "to go"),
                figure(run.rate.map { "\(Figure.short($0))/s" } ?? "–", "steps")),
            all.map { all in
                .tag(
                    "progress",
                    [
                        "class": "run", "value": "\(min(history.step, all))", "max": "\(max(all, 1))",
                        "aria-label": "Steps made",
                    ],
                    "\(history.step) of \(all)")
            } ?? .empty,
        ]
    }

    private static func charts(_ history: RunHistory) -> [Markup] {
        RunCharts.charts(history).compactMap { title, chart in
            chart.markup.map { .tag("section", ["class": "card"], .tag("h2", [:], "\(title)"), $0) }
        }
    }

    private static func validations(_ run: RunHistories.Run) -> Markup {
        guard let last = run.validations.last else { return .empty }
        let places = run.validations.count - 1
        return .tag(
            "section", ["class": "card", "id": "validation"],
            .tag("h2", [:], "Validation images"),
            .tag(
                "label", ["class": "field slider"],
                .tag("span", [:], "After step ", .tag("output", ["id": "validation-step"], "\(last.step)")),
                .tag(
                    "input",
                    [
                        "type": "range", "min": "0", "max": "\(places)", "value": "\(places)", "step": "1",
                        "id": "validation-slider", "list": "validation-steps",
                    ])),
            .group(
                run.validations.enumerated().map { place, validation in
                    .tag(
                        "div",
                        [
                            "class": "strip wrap validation", "data-step": "\(validation.step)",
                            "hidden": place == places ? nil : "",
                        ],
                        validation.images.indices.map { image in
                            .tag(
                                "img",
                                [
                                    "src": "/runs/\(run.name)/validation/\(validation.step)/\(image)",
                                    "loading": "lazy",
                                    "alt": "Validation image \(image + 1) after step \(validation.step)",
                                    "width": "192", "height": "192",
                                ])
                        })
                }))
    }
}
