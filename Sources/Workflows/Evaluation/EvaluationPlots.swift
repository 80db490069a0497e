import CorpusStore
import DiskAccess
package import Foundation
package import Plots
import Statistics

/// What an evaluation looks like: for pages and for SVG files.
package enum EvaluationPlots {
    package struct Plot: Sendable {
        /// Of its file.
        package let name: String
        package let chart: IntervalChart
    }

    /// Guidance sweeps of the referee and of each score; alignment against quality; the referee by category.
    package static func plots(_ report: EvaluationReport) -> [Plot] {
        let referee = report.settings.referee
        return report.scores.compactMap { score in sweep(report, score, isReferee: score == referee) }
            + [sweetSpot(report), categories(report)].compactMap(\.self)
    }

    /// How well scores rank by the passes through the UNet that they take.
    package static func plots(_ report: AgreementJob.Report) -> [Plot] {
        guard let costs = report.costs, !costs.isEmpty else { return [] }
        var names: [String] = []
        for cost in costs where !names.contains(cost.series) { names.append(cost.series) }
        var chart = IntervalChart(
            title: "How well scores rank the images of a prompt, by what they cost", x: "UNet passes an image",
            y: "AUC within a prompt (\(report.referee))",
            series: names.map { name in
                IntervalChart.Series(
                    name, costs.filter { $0.series == name }.map { point(x: Double($0.forwards), $0.auc) })
            })
        // What was read off the generation costs no pass of its own.
        chart.references = report.agreement.filter { $0.category == "all" && $0.score == "mi" }.compactMap { one in
            one.auc.map { (name: "mi along the trajectory, no pass of its own", y: $0.mean) }
        }
        chart.height = 380
        return [Plot(name: "auc-forwards", chart: chart)]
    }

    /// Writes the plots as SVG files, in place of those that are there.
    ///
    /// - Returns: their paths.
    /// - Throws: ``DiskError``.
    package static func write(_ plots: [Plot], to folder: URL) throws -> [String] {
        try Disk.makeFolder(folder.path)
        let files = AtomicFiles(temporaryFolder: folder)
        return try plots.compactMap { plot in
            guard let text = plot.chart.file else { return nil }
            let place = folder.appending(path: "\(plot.name).svg")
            try files.write(Data(text.utf8), to: place)
            return place.path
        }
    }

    private static func models(_ report: EvaluationReport) -> [String] {
        ["base"] + report.settings.adapters.map(\.label)
    }

    private static func point(x: Double, _ value: MeanInterval, label: String? = nil) -> IntervalChart.Point {
        IntervalChart.Point(x: x, y: value.mean, yInterval: range(value), label: label)
    }

    private static func range(_ value: MeanInterval) -> ClosedRange<Double>? {
        value.low <= value.high ? value.low...value.high : nil
    }

    /// Nil where there is one scale of guidance alone.
    private static func sweep(_ report: EvaluationReport, _ score: String, isReferee: Bool) -> Plot? {
        let rows = report.results.filter { $0.score == score && $0.category == "all" }
        guard Set(rows.map(\.guidance)).count > 1 else { return nil }
        let series = models(report).map { model in
            IntervalChart.Series(
                model,
                rows.filter { $0.model == model }.sorted { $0.guidance < $1.guidance }
                    .map { point(x: $0.guidance, $0.value) })
        }
        let plain = score.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "-" }
        return Plot(
            name: "guidance-\(String(plain))",
            chart: IntervalChart(
                title: "\(score) over guidance", x: "guidance scale",
                y: isReferee && score == "shapes" ? "share aligned" : "mean \(score)",
                series: series.filter { !$0.points.isEmpty }))
    }

    /// The paper's "sweet spot": a point for each guidance of each model, written beside it.
    private static func sweetSpot(_ report: EvaluationReport) -> Plot? {
        guard let quality = report.quality, let referee = report.settings.referee else { return nil }
        let series = models(report).map { model in
            IntervalChart.Series(
                model,
                quality.filter { $0.model == model }.sorted { $0.guidance < $1.guidance }.compactMap {
                    one -> IntervalChart.Point? in
                    let value = report.results.first {
                        $0.model == model && $0.guidance == one.guidance && $0.score == referee && $0.category == "all"
                    }?.value
                    guard let value else { return nil }
                    var mark = point(x: one.value, value, label: Figure.short(one.guidance).trimmingZeros)
                    if let low = one.low, let high = one.high, low <= high { mark.xInterval = low...high }
                    return mark
                })
        }.filter { !$0.points.isEmpty }
        guard !series.isEmpty else { return nil }
        var chart = IntervalChart(
            title: "Alignment against quality, by guidance", x: "Fréchet distance to real images (less is better)",
            y: referee == "shapes" ? "share aligned" : "mean \(referee)", series: series)
        chart.height = 380
        return Plot(name: "sweet-spot", chart: chart)
    }

    /// Nil without a referee, or with one category alone. Categories stand side by side in the order of the alphabet.
    private static func categories(_ report: EvaluationReport) -> Plot? {
        guard let referee = report.settings.referee else { return nil }
        let names = Set(report.results.map(\.category)).subtracting(["all"]).sorted()
        guard names.count > 1 else { return nil }
        let series = report.best.map { best in
            IntervalChart.Series(
                best.model,
                names.enumerated().compactMap { place, name in
                    report.results.first {
                        $0.model == best.model && $0.guidance == best.guidance && $0.score == referee
                            && $0.category == name
                    }.map { point(x: Double(place), $0.value) }
                })
        }
        var chart = IntervalChart(
            title: "By category, each model at its best guidance", x: "category of prompts",
            y: referee == "shapes" ? "share aligned" : "mean \(referee)", series: series)
        chart.isJoined = false
        chart.names = names
        return Plot(name: "categories", chart: chart)
    }
}

extension String {
    /// 3.000 as 3, 1.500 as 1.5.
    fileprivate var trimmingZeros: String {
        guard contains(".") else { return self }
        var text = self
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
