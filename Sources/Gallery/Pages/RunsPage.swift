import CorpusStore
import Markup
import Plots
import Workflows

enum RunsPage {
    static func page(_ runs: [RunHistories.Run], _ layout: Layout) -> Markup {
        layout.page(
            .tag("h1", [:], "Runs"),
            runs.isEmpty
                ? Components.empty(
                    "No run yet", .tag("p", [:], "Train on a selection; its loss appears here while it runs."),
                    Components.command("attune train best --model MODEL --run first"))
                : .tag("section", ["class": "card"], table(runs)))
    }

    static func table(_ runs: [RunHistories.Run]) -> Markup {
        Components.table(
            "Runs", ["Run", "State", "Steps", "Loss", "Selection"],
            runs.map { run in
                let history = run.history
                return [
                    Components.link(run.name, to: "/runs/\(run.name)"),
                    .tag("span", ["class": "state state-\(state(run))"], "\(state(run))"),
                    "\(history.step)\(history.settings.steps.map { " of \($0)" } ?? "")",
                    "\(history.steps.last.map { Figure.short($0.loss) } ?? "–")",
                    "\(history.settings.selection ?? "–")",
                ]
            })
    }

    static func state(_ run: RunHistories.Run) -> String {
        if run.history.isFinished { return "finished" }
        return run.isActive ? "running" : "stopped"
    }
}
