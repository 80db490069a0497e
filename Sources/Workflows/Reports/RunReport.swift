import DiskAccess
import Foundation
import Markup
import Plots
import Tuning

/// A run's settings, figures, plots and last validation images.
enum RunReport {
    static func section(_ run: RunFolder) throws -> ReportDocument.Section {
        var history = RunHistory()
        if let log = try Disk.readIfPresent(run.log.path) { history.add(log) }
        guard !history.steps.isEmpty else {
            throw Failure("\(run.log.path): has no steps; give --run the name of a run that attune train has begun")
        }
        let charts = RunCharts.charts(history).compactMap { title, chart in
            chart.markup.map { ReportDocument.card(title, $0) }
        }
        var content: [Markup] = [
            ReportDocument.card(
                nil,
                ReportDocument.table(
                    "Run", ["", ""],
                    [
                        ["state", history.isFinished ? "finished" : "not finished"],
                        ["steps", "\(history.step)\(history.settings.steps.map { " of \($0)" } ?? "")"],
                        ["last loss", history.steps.last.map { Figure.short($0.loss) } ?? "–"],
                        ["evaluation loss", change(history)],
                        ["samples seen", Figure.grouped(history.steps.last?.samples ?? 0)],
                    ])),
            .tag("div", ["class": "charts"], charts),
        ]
        if let images = try validation(run) { content.append(images) }
        content.append(
            ReportDocument.card(
                "Settings",
                ReportDocument.table(
                    "Settings", ["Setting", "Value"],
                    [["model", history.settings.model ?? "–"], ["selection", history.settings.selection ?? "–"]]
                        + history.settings.values.map { [$0.name, $0.value] })))
        if let line = history.damagedLine {
            content.insert(
                .tag("p", [:], "Line \(line) of the run's log cannot be understood; the plots leave it out."), at: 0)
        }
        return ReportDocument.Section("Run \(run.name)", content)
    }

    private static func change(_ history: RunHistory) -> String {
        guard let first = history.evaluations.first, let last = history.evaluations.last else { return "not measured" }
        if first.step == last.step { return Figure.short(last.loss) }
        return
            "\(Figure.short(first.loss)) after step \(first.step), \(Figure.short(last.loss)) after step \(last.step)"
    }

    /// `validation/STEP/*.png` of the first and the last step.
    private static func validation(_ run: RunFolder) throws -> Markup? {
        let folder = run.root.appending(path: "validation")
        let steps = try (Disk.listIfPresent(folder.path) ?? []).compactMap { name in Int(name).map { ($0, name) } }
            .sorted { $0.0 < $1.0 }
        guard let first = steps.first, let last = steps.last else { return nil }
        let shown = first.0 == last.0 ? [last] : [first, last]
        return .group(
            [.tag("h3", [:], "Validation images")]
                + (try shown.flatMap { step, name -> [Markup] in
                    let place = folder.appending(path: name)
                    let files = try Disk.list(place.path).filter { $0.hasSuffix(".png") }.prefix(24)
                    return [
                        .tag("p", ["class": "quiet"], "After step \(step)"),
                        .tag(
                            "div", ["class": "images"],
                            try files.map { file in
                                let path = place.appending(path: file).path
                                return ReportImages.figure(
                                    try ReportImages.markup(
                                        Array(Disk.read(path)), named: path,
                                        alt: "Validation image \(file) after step \(step)"),
                                    caption: String(file.dropLast(4)))
                            }),
                    ]
                }))
    }
}
