import Corpus
import Markup
import Plots

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

    /// What scripts replace while the run goes on.
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
        func points(_ value: (RunHistory.Step) -> Double) -> [(x: Double, y: Double)] {
            history.steps.map { (Double($0.step), value($0)) }
        }
        func card(_ title: String, _ chart: LineChart) -> Markup {
            guard let markup = chart.markup else { return .empty }
            return .tag("section", ["class": "card"], .tag("h2", [:], "\(title)"), markup)
        }
        var losses = [LineChart.Line(name: "loss", points(\.loss), style: .faint)]
        if history.steps.count > 10 {
            losses.append(LineChart.Line(name: "mean of ten steps", history.smoothedLosses(over: 10), style: .first))
        }
        let fixed = history.evaluations.map { (x: Double($0.step), y: $0.loss) }
        return [
            card("Loss", LineChart(title: "Loss over steps", x: "step", y: "mean squared error", lines: losses)),
            card(
                "Evaluation loss",
                LineChart(
                    title: "Loss on fixed samples and noise over steps", x: "step", y: "mean squared error",
                    lines: [LineChart.Line(fixed, style: .second)])),
            card(
                "Learning rate",
                LineChart(
                    title: "Learning rate over steps", x: "step", y: "learning rate",
                    lines: [LineChart.Line(points(\.learningRate))], height: 220)),
            card(
                "Gradient norm",
                LineChart(
                    title: "Global gradient norm before clipping over steps", x: "step", y: "gradient norm",
                    lines: [LineChart.Line(points(\.gradientNorm), style: .third)], startsAtZero: true, height: 220)),
        ]
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
