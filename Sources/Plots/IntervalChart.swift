package import Markup

/// Values with their intervals, by series: means over a setting, or one thing against another.
package struct IntervalChart: Sendable {
    package struct Point: Sendable {
        package var x, y: Double
        /// Nil for a value without an interval.
        package var xInterval, yInterval: ClosedRange<Double>?
        /// Written beside the point.
        package var label: String?

        package init(
            x: Double, y: Double, xInterval: ClosedRange<Double>? = nil, yInterval: ClosedRange<Double>? = nil,
            label: String? = nil
        ) {
            (self.x, self.y, self.xInterval, self.yInterval) = (x, y, xInterval, yInterval)
            self.label = label
        }
    }

    package struct Series: Sendable {
        package var name: String
        package var points: [Point]

        package init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
    }

    package var title: String
    package var axes: (x: String, y: String)
    /// Each a color and a mark of its own; from the ninth on they come again.
    package var series: [Series]
    /// Whether a line joins the points of a series, in their order.
    package var isJoined = true
    /// Values of y that have no x, as of what costs nothing: dashed lines.
    package var references: [(name: String, y: Double)] = []
    /// What the whole numbers from 0 on stand for, where x has no scale.
    package var names: [String] = []
    package var height = 320.0

    package init(title: String, x: String, y: String, series: [Series]) {
        (self.title, axes, self.series) = (title, (x, y), series)
    }

    /// For a page with ``PlotStyle``; nil where there is no point to draw.
    package var markup: Markup? {
        drawing(style: nil).map { .tag("figure", ["class": "chart"], $0) }
    }

    /// An SVG file of its own, light or dark as its reader's; nil where there is no point to draw.
    package var file: String? { drawing(style: PlotStyle.alone).map { $0.rendered + "\n" } }

    private func drawing(style: String?) -> Markup? {
        let series = series.map { one in
            Series(one.name, one.points.filter { $0.x.isFinite && $0.y.isFinite })
        }
        let all = series.flatMap(\.points)
        guard !all.isEmpty else { return nil }
        let xs = all.flatMap { [$0.x] + Self.ends($0.xInterval) }
        let ys = all.flatMap { [$0.y] + Self.ends($0.yInterval) } + references.map(\.y).filter(\.isFinite)
        let (low, high) = names.isEmpty ? (xs.min() ?? 0, xs.max() ?? 1) : (-0.4, Double(names.count) - 0.6)
        // Points at the ends keep clear of the frame.
        let margin = max((high - low) * 0.06, high == low ? max(abs(low) * 0.1, 0.5) : 0)
        var frame = PlotFrame(
            x: low - margin...high + margin, y: (ys.min() ?? 0)...(ys.max() ?? 1), height: height)
        frame.names = names
        // Points of several series at one x stand side by side.
        let shares = Dictionary(grouping: all, by: \.x).values.contains { $0.count > 1 }
        let distance = names.isEmpty ? 5.0 : 11.0
        let lines = references.filter(\.y.isFinite).enumerated().map { place, reference -> Markup in
            .tag(
                "line",
                [
                    "class": "plot-reference plot-s\((series.count + place) % 8)", "x1": Figure.point(PlotFrame.left),
                    "x2": Figure.point(PlotFrame.width - PlotFrame.right), "y1": Figure.point(frame.y(reference.y)),
                    "y2": Figure.point(frame.y(reference.y)),
                ])
        }
        let drawn = series.enumerated().map { place, one -> Markup in
            let shift = shares ? (Double(place) - Double(series.count - 1) / 2) * distance : 0
            return draw(one, place, frame, shift)
        }
        let (keys, room) = legend(series.map(\.name), references.map(\.name))
        return frame.markup(title: title, axes: axes, below: room, style: style, lines + drawn + [keys])
    }

    private static func ends(_ range: ClosedRange<Double>?) -> [Double] {
        range.map { [$0.lowerBound, $0.upperBound].filter(\.isFinite) } ?? []
    }

    private func draw(_ series: Series, _ place: Int, _ frame: PlotFrame, _ shift: Double) -> Markup {
        func at(_ point: Point) -> (x: Double, y: Double) { (frame.x(point.x) + shift, frame.y(point.y)) }
        var pieces: [Markup] = []
        if isJoined, series.points.count > 1 {
            pieces.append(
                .tag(
                    "polyline",
                    [
                        "class": "plot-path",
                        "points": series.points.map { "\(Figure.point(at($0).x)),\(Figure.point(at($0).y))" }
                            .joined(separator: " "),
                    ]))
        }
        for point in series.points {
            let (x, y) = at(point)
            if let range = point.yInterval {
                pieces.append(Self.bar(x, frame.y(range.lowerBound), x, frame.y(range.upperBound)))
            }
            if let range = point.xInterval {
                pieces.append(Self.bar(frame.x(range.lowerBound) + shift, y, frame.x(range.upperBound) + shift, y))
            }
            pieces.append(Self.mark(place, x, y, title: text(of: point, series.name)))
            if let label = point.label {
                pieces.append(
                    .tag(
                        "text", ["class": "plot-point", "x": Figure.point(x + 7), "y": Figure.point(y - 6)], "\(label)")
                )
            }
        }
        return .tag("g", ["class": "plot-s\(place % 8)"], pieces)
    }

    private func text(of point: Point, _ name: String) -> String {
        func value(_ value: Double, _ range: ClosedRange<Double>?) -> String {
            Figure.short(value)
                + (range.map { " [\(Figure.short($0.lowerBound)), \(Figure.short($0.upperBound))]" } ?? "")
        }
        return "\(name): \(axes.x) \(value(point.x, point.xInterval)), \(axes.y) \(value(point.y, point.yInterval))"
    }

    /// An interval with short strokes at its ends.
    private static func bar(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Markup {
        let (dx, dy) = x1 == x2 ? (3.0, 0.0) : (0.0, 3.0)
        func line(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> String {
            "M\(Figure.point(a)) \(Figure.point(b))L\(Figure.point(c)) \(Figure.point(d))"
        }
        return .tag(
            "path",
            [
                "class": "plot-interval",
                "d": line(x1, y1, x2, y2) + line(x1 - dx, y1 - dy, x1 + dx, y1 + dy)
                    + line(x2 - dx, y2 - dy, x2 + dx, y2 + dy),
            ])
    }

    /// Series differ in form too, for readers who cannot tell the colors.
    private static func mark(_ place: Int, _ x: Double, _ y: Double, title: String? = nil) -> Markup {
        let forms: [[(Double, Double)]] = [
            [], [(-4, -4), (4, -4), (4, 4), (-4, 4)], [(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)],
            [(0, -5), (5, 4), (-5, 4)], [(-5, -4), (5, -4), (0, 5)],
        ]
        let content = title.map { [Markup.tag("title", [:], "\($0)")] } ?? []
        let form = forms[place % forms.count]
        guard !form.isEmpty else {
            return .tag(
                "circle", ["class": "plot-mark", "cx": Figure.point(x), "cy": Figure.point(y), "r": "4.5"], content)
        }
        return .tag(
            "polygon",
            [
                "class": "plot-mark",
                "points": form.map { "\(Figure.point(x + $0.0)),\(Figure.point(y + $0.1))" }.joined(separator: " "),
            ], content)
    }

    /// The names in rows below the plot, and the room that they take.
    private func legend(_ names: [String], _ references: [String]) -> (markup: Markup, room: Double) {
        let all = names + references
        guard all.count > 1 else { return (.empty, 0) }
        var (x, row) = (PlotFrame.left, 0)
        let entries = all.enumerated().map { place, name -> Markup in
            // Wide enough for the fonts that readers have.
            let width = 30 + 7.2 * Double(name.count)
            if x > PlotFrame.left, x + width > PlotFrame.width {
                (x, row) = (PlotFrame.left, row + 1)
            }
            defer { x += width }
            let y = height + 8 + 20 * Double(row)
            let key: Markup =
                place < names.count
                ? Self.mark(place, x + 5, y)
                : .tag(
                    "line",
                    [
                        "class": "plot-reference", "x1": Figure.point(x - 4), "x2": Figure.point(x + 14),
                        "y1": Figure.point(y), "y2": Figure.point(y),
                    ])
            return .tag(
                "g", ["class": "plot-s\(place % 8)"], key,
                .tag(
                    "text",
                    ["class": "plot-label", "x": Figure.point(x + 16), "y": Figure.point(y), "dy": "0.32em"],
                    "\(name)"))
        }
        return (.group(entries), Double(row + 1) * 20 + 6)
    }
}
