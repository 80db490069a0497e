package import Markup

/// How often values fall into ranges of equal width.
package struct Histogram: Sendable {
    package var title: String
    /// What is counted, with its unit.
    package var axis: String
    package var range: ClosedRange<Double>
    package var counts: [Int]
    package var height = 260.0

    package init(title: String, axis: String, range: ClosedRange<Double>, counts: [Int], height: Double = 260) {
        (self.title, self.axis, self.range, self.counts, self.height) = (title, axis, range, counts, height)
    }

    /// Nil where there is nothing to count.
    package var markup: Markup? {
        guard let highest = counts.max(), highest > 0 else { return nil }
        let frame = PlotFrame(x: range, y: 0...Double(max(highest, 5)), height: height, startsAtZero: true)
        let step = (range.upperBound - range.lowerBound) / Double(counts.count)
        let bars = counts.enumerated().filter { $0.element > 0 }.map { place, count -> Markup in
            let (from, to) = (range.lowerBound + Double(place) * step, range.lowerBound + Double(place + 1) * step)
            let (left, right) = step > 0 ? (frame.x(from), frame.x(to)) : (frame.x(from) - 6, frame.x(from) + 6)
            let top = frame.y(Double(count))
            return .tag(
                "rect",
                [
                    "class": "plot-bar", "x": Figure.point(left + 0.5), "y": Figure.point(top),
                    "width": Figure.point(max(right - left - 1, 0.8)), "height": Figure.point(frame.y(0) - top),
                ],
                .tag("title", [:], "\(Figure.short(from)) to \(Figure.short(to)): \(Figure.grouped(count)) samples"))
        }
        return .tag("figure", ["class": "chart"], frame.markup(title: title, axes: (axis, "samples"), bars))
    }
}
