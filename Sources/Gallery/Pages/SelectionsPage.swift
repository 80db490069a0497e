import CorpusStore
import Markup
import Plots

enum SelectionsPage {
    static func page(_ selections: [Overview.NamedSelection], _ layout: Layout) -> Markup {
        layout.page(
            .tag("h1", [:], "Selections"),
            selections.isEmpty
                ? Components.empty(
                    "No selection yet",
                    .tag("p", [:], "Pick samples in the grid and store them under a name, or select by a score:"),
                    Components.command("attune select best --by mi --top 1 --per prompt"))
                : .tag("section", ["class": "card"], table(selections)),
            selections.count < 2
                ? .empty
                : .tag(
                    "p", [:],
                    Components.link(
                        "Compare \(selections[0].name) with \(selections[1].name)",
                        to: Query([
                            ("left", "selection:\(selections[0].name)"), ("right", "selection:\(selections[1].name)"),
                        ]).address("/compare"))))
    }

    static func table(_ selections: [Overview.NamedSelection]) -> Markup {
        Components.table(
            "Selections", ["Name", "Samples", "Changed (UTC)", "Versions", ""],
            selections.map { selection in
                let name = selection.name
                if let problem = selection.problem {
                    return ["\(name)", .tag("span", ["class": "warning"], "\(problem)"), "–", "–", ""]
                }
                return [
                    Components.link(name, to: Query([("in", name)]).address("/samples")),
                    "\(Figure.grouped(selection.samples ?? 0))", "\(Components.date(selection.time))",
                    "\(selection.versions)",
                    Components.link("among all candidates", to: Query([("mark", name)]).address("/samples")),
                ]
            })
    }
}
