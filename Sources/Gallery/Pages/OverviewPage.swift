import CorpusStore
import Markup
import Plots
import Workflows

enum OverviewPage {
    static func page(_ overview: Overview, runs: [RunHistories.Run], corpus: String, _ layout: Layout) -> Markup {
        guard overview.samples > 0 else {
            return layout.page(
                .tag("h1", [:], "\(corpus)"),
                Components.empty(
                    "This corpus has no samples yet",
                    .tag(
                        "p", [:], "Generate candidates for some prompts, or import images; this page then shows them."),
                    Components.command(
                        "attune generate --model MODEL --prompts PROMPTS.txt --images-per-prompt 16\nattune import FOLDER --format imagefolder --model MODEL"
                    )))
        }
        return layout.page(
            .tag("h1", [:], "\(corpus)"),
            counts(overview),
            histogram(overview, layout.visit),
            models(overview),
            selections(overview),
            marks(overview),
            self.runs(runs))
    }

    private static func counts(_ overview: Overview) -> Markup {
        func figure(_ value: String, _ what: String, _ address: String? = nil) -> Markup {
            let inside: [Markup] = [.tag("strong", [:], "\(value)"), .tag("span", [:], "\(what)")]
            return .tag("li", [:], address.map { .tag("a", ["href": $0], inside) } ?? .tag("div", [:], inside))
        }
        return .tag(
            "ul", ["class": "figures"],
            figure(Figure.grouped(overview.samples), "samples", "/samples?view=all"),
            figure(Figure.grouped(overview.prompts), "prompts", "/samples"),
            figure(Figure.grouped(overview.shards), "sealed files"),
            figure(Figure.bytes(overview.space.sealed), "on disk"),
            figure(overview.space.free.map { Figure.bytes($0) } ?? "–", "free"),
            figure(Figure.grouped(overview.scored), "scored by Monte Carlo"))
    }

    private static func histogram(_ overview: Overview, _ visit: Visit) -> Markup {
        let plot: Markup
        if let found = overview.distribution {
            let chart = Histogram(
                title: "How \(overview.score) is distributed over \(Figure.grouped(found.present)) samples",
                axis: axis(overview.score), range: found.range, counts: found.counts
            ).markup
            plot = [
                chart ?? .empty,
                .tag(
                    "p", ["class": "quiet"],
                    "\(Figure.grouped(found.present)) samples have \(overview.score), from \(Figure.short(found.range.lowerBound)) to \(Figure.short(found.range.upperBound)); \(Figure.grouped(found.missing)) have none."
                ),
            ]
        } else {
            plot = .tag(
                "p", ["class": "quiet"], "\(overview.distributionProblem ?? "No sample has \(overview.score).")")
        }
        return .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Scores"),
            .tag(
                "form", ["class": "bar", "method": "get", "action": "/", "data-submit": "change"],
                Components.choice(
                    "score", label: "Score", overview.scores.map { ($0, $0) }, chosen: overview.score),
                .tag("button", [:], "Show"),
                Components.link("Samples by this score", to: Query([("by", overview.score)]).address("/samples"))),
            plot)
    }

    /// What a plot's axis says of a score.
    static func axis(_ score: String) -> String {
        switch score {
        case "mi", "mi_reference", "mc", "mc_reference", "rf", "rf_cfg": "\(score), nats"
        case "mi_se", "mc_se": "\(score), standard error in nats"
        default: score
        }
    }

    private static func models(_ overview: Overview) -> Markup {
        .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Where the samples come from"),
            Components.table(
                "Samples by model, adapter and tag", ["Model", "Adapter", "Tag", "Samples"],
                overview.origins.prefix(50).map { origin in
                    [
                        .tag("code", ["title": origin.model], "\(origin.model.prefix(24))"),
                        origin.adapter.map { .tag("code", ["title": $0], "\($0.prefix(12))") } ?? "none",
                        "\(origin.tag ?? "–")", "\(Figure.grouped(origin.samples))",
                    ]
                }))
    }

    private static func selections(_ overview: Overview) -> Markup {
        .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Selections"),
            overview.selections.isEmpty
                ? [
                    .tag(
                        "p", ["class": "quiet"],
                        "No selection yet. Pick samples in the grid, or take the best of each prompt:"),
                    Components.command("attune select best --by mi --top 1 --per prompt"),
                ]
                : SelectionsPage.table(overview.selections))
    }

    private static func marks(_ overview: Overview) -> Markup {
        guard !overview.marks.isEmpty else { return .empty }
        return .tag(
            "section", ["class": "card"],
            .tag("h2", [:], "Annotations"),
            Components.table(
                "Annotations by scorer", ["Scorer", "Samples", "Lowest", "Mean", "Highest", "Given last by"],
                overview.marks.map { mark in
                    [
                        Components.link(
                            mark.scorer, to: Query([("by", mark.scorer), ("view", "all")]).address("/samples")),
                        "\(Figure.grouped(mark.samples))", "\(Figure.short(mark.lowest))", "\(Figure.short(mark.mean))",
                        "\(Figure.short(mark.highest))", "\(mark.source)",
                    ]
                }))
    }

    private static func runs(_ runs: [RunHistories.Run]) -> Markup {
        .tag(
            "section", ["class": "card"], .tag("h2", [:], "Runs"),
            runs.isEmpty
                ? [
                    .tag("p", ["class": "quiet"], "No run yet. Train on a selection:"),
                    Components.command("attune train best --model MODEL --run first"),
                ] : RunsPage.table(runs))
    }
}
