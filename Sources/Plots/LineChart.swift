package import Markup

/// Lines over a common axis.
///
/// ```swift
/// let line = LineChart.Line(name: "loss", [(x: 1, y: 0.9), (x: 2, y: 0.5)])
/// let svg = LineChart(title: "Loss", x: "step", y: "loss", lines: [line]).markup?.rendered
/// ```
package struct LineChart: Sendable {
    package struct Line: Sendable {
        /// What the legend says; nil for a line among many.
        package var name: String?
        /// What is not finite is left out.
        package var points: [(x: Double, y: Double)]
        package var style: Style

        package init(name: String? = nil, _ points: [(x: Double, y: Double)], style: Style = .first) {
            (self.name, self.points, self.style) = (name, points, style)
        }
    }

    /// Classes of ``PlotStyle``.
    package enum Style: String, Sendable {
        case first, second, third, faint
    }

    package var title: String
    package var axes: (x: String, y: String)
    package var lines: [Line]
    package var isDescending = false
    package var startsAtZero = false
    package var height = 300.0

    package init(
        title: String, x: String, y: String, lines: [Line], isDescending: Bool = false, startsAtZero: Bool = false,
        height: Double = 300
    ) {
        (self.title, axes, self.lines) = (title, (x, y), lines)
        (self.isDescending, self.startsAtZero, self.height) = (isDescending, startsAtZero, height)
    }

    /// More points than this show nothing more: each column of the drawing keeps its lowest and highest.
    private static let columns = 360

    /// Nil where there is no point to draw.
    package var markup: Markup? {
        let lines = lines.map { line in
            Line(name: line.name, line.points.filter { $0.x.isFinite && $0.y.isFinite }, style: line.style)
        }.filter { !$0.points.isEmpty }
        let all = lines.flatMap(\.points)
        guard let first = all.first else { return nil }
        var (xs, ys) = (first.x...first.x, first.y...first.y)
        for point in all {
            xs = min(xs.lowerBound, point.x)...max(xs.upperBound, point.x)
            ys = min(ys.lowerBound, point.y)...max(ys.upperBound, point.y)
        }
        let frame = PlotFrame(
            x: xs, y: ys, height: height, isDescending: isDescending, startsAtZero: startsAtZero)
        let drawn = lines.map { line -> Markup in
            let points = Self.thinned(line.points)
            if points.count == 1 {
                return .tag(
                    "circle",
                    [
                        "class": "plot-dot plot-\(line.style.rawValue)", "cx": Figure.point(frame.x(points[0].x)),
                        "cy": Figure.point(frame.y(points[0].y)), "r": "3",
                    ])
            }
            return .tag(
                "polyline",
                [
                    "class": "plot-line plot-\(line.style.rawValue)",
                    "points": points.map { "\(Figure.point(frame.x($0.x))),\(Figure.point(frame.y($0.y)))" }
                        .joined(separator: " "),
                ])
        }
        return .tag(
            "figure", ["class": "chart"],
            [frame.markup(title: title, axes: axes, drawn), Legend.markup(lines.map { ($0.name, $0.style) })])
    }

    private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > 4 * columns else { return points }
        var kept: [(x: Double, y: Double)] = []
        let size = (points.count + columns - 1) / columns
        for start in stride(from: 0, to: points.count, by: size) {
            let part = points[start..<min(start + size, points.count)].indices
            guard let low = part.min(by: { points[$0].y < points[$1].y }),
                let high = part.max(by: { points[$0].y < points[$1].y })
            else { continue }
            kept += [low, high].sorted().map { points[$0] }
        }
        return kept
    }
}

/// What the lines of a plot are, below it.
enum Legend {
    static func markup(_ entries: [(name: String?, style: LineChart.Style)]) -> Markup {
        var seen: Set<String> = []
        let named = entries.compactMap { entry in entry.name.map { ($0, entry.style) } }.filter {
            seen.insert($0.0).inserted
        }
        guard !named.isEmpty else { return .empty }
        return .tag(
            "ul", ["class": "legend"],
            named.map { name, style in
                .tag(
                    "li", [:],
                    .tag(
                        "svg", ["class": "key", "width": "22", "height": "8", "aria-hidden": "true"],
                        .tag(
                            "line",
                            ["class": "plot-line plot-\(style.rawValue)", "x1": "0", "x2": "22", "y1": "4", "y2": "4"])),
                    "\(name)")
            })
    }
}
