import Markup

/// The axes of a plot, its labels and its grid. Colors come from the classes of ``PlotStyle``, so that one drawing serves
/// light and dark.
struct PlotFrame {
    static let width = 560.0
    let height: Double
    let x, y: Scale
    /// What stands below whole numbers from 0 on, in place of a scale.
    var names: [String] = []

    static let left = 68.0
    static let right = 16.0
    private static let top = 14.0
    private static let bottom = 46.0

    /// - Parameters:
    ///   - isDescending: whether x falls from left to right, as timesteps do.
    ///   - startsAtZero: whether the vertical axis begins at 0.
    init(
        x horizontal: ClosedRange<Double>, y vertical: ClosedRange<Double>, height: Double = 300,
        isDescending: Bool = false, startsAtZero: Bool = false
    ) {
        self.height = height
        let (from, to) = (Self.left, Self.width - Self.right)
        x = Scale(
            horizontal, from: isDescending ? to : from, to: isDescending ? from : to, ticks: 6, isPadded: false)
        let low = startsAtZero ? min(0, vertical.lowerBound) : vertical.lowerBound
        y = Scale(low...max(vertical.upperBound, low), from: height - Self.bottom, to: Self.top, ticks: 5)
    }

    /// - Parameters:
    ///   - title: what screen readers say of the plot.
    ///   - axes: what is counted along each axis, with its unit.
    ///   - below: room under the plot that the content draws in.
    ///   - style: a style sheet of its own, for a drawing that stands alone.
    func markup(
        title: String, axes: (x: String, y: String), below: Double = 0, style: String? = nil, _ content: [Markup]
    ) -> Markup {
        let (left, right) = (Figure.point(Self.left), Figure.point(Self.width - Self.right))
        let base = Figure.point(height - Self.bottom)
        let rows = y.ticks.map { tick -> Markup in
            let place = Figure.point(y(tick))
            return [
                .tag("line", ["class": "plot-grid", "x1": left, "x2": right, "y1": place, "y2": place]),
                .tag(
                    "text",
                    ["x": Figure.point(Self.left - 8), "y": place, "dy": "0.32em", "text-anchor": "end"],
                    "\(y.label(tick))"),
            ]
        }
        let ticks = names.isEmpty ? x.ticks : names.indices.map(Double.init)
        let columns = ticks.map { tick -> Markup in
            let place = Figure.point(x(tick))
            return [
                .tag(
                    "line",
                    [
                        "class": "plot-axis", "x1": place, "x2": place, "y1": base,
                        "y2": Figure.point(height - Self.bottom + 5),
                    ]),
                .tag(
                    "text", ["x": place, "y": Figure.point(height - Self.bottom + 19), "text-anchor": "middle"],
                    "\(names.isEmpty ? x.label(tick) : names[Int(tick)])"),
            ]
        }
        let middle = Figure.point((Self.left + Self.width - Self.right) / 2)
        let center = Figure.point((Self.top + height - Self.bottom) / 2)
        let paper: Markup =
            if let style {
                [
                    .tag("style", [:], "\(style)"),
                    .tag("rect", ["class": "plot-paper", "width": "100%", "height": "100%"]),
                ]
            } else { .empty }
        return .tag(
            "svg",
            [
                "class": "plot", "xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-label": title,
                "viewBox": "0 0 \(Int(Self.width)) \(Int(height + below))", "width": "\(Int(Self.width))",
                "height": "\(Int(height + below))",
            ],
            [.tag("title", [:], "\(title)"), paper] + rows + columns + [
                .tag("line", ["class": "plot-axis", "x1": left, "x2": right, "y1": base, "y2": base]),
                .tag(
                    "text",
                    [
                        "class": "plot-label", "x": middle, "y": Figure.point(height - 6), "text-anchor": "middle",
                    ], "\(axes.x)"),
                .tag(
                    "text",
                    [
                        "class": "plot-label", "x": "15", "y": center, "text-anchor": "middle",
                        "transform": "rotate(-90 15 \(center))",
                    ], "\(axes.y)"),
            ] + content)
    }
}
