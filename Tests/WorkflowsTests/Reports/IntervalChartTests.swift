import Foundation
import Plots
import Testing

@Suite("Plots of intervals") struct IntervalChartTests {
    private typealias Point = IntervalChart.Point

    private func chart(_ series: [IntervalChart.Series]) -> IntervalChart {
        IntervalChart(title: "<t>", x: "guidance", y: "share", series: series)
    }

    private func count(_ text: String, _ piece: String) -> Int { text.components(separatedBy: piece).count - 1 }

    @Test func oddValuesDrawNothingOdd() throws {
        #expect(chart([]).markup == nil && chart([]).file == nil)
        #expect(chart([.init("a", [Point(x: .nan, y: 1), Point(x: 1, y: .infinity)])]).markup == nil)
        let one = try #require(chart([.init("a", [Point(x: 3, y: 0.5, yInterval: 0.5...0.5)])]).file)
        #expect(!one.contains("nan") && !one.contains("inf") && one.contains("&lt;t&gt;"))
        #expect(one.hasPrefix("<svg") && one.contains("xmlns=\"http://www.w3.org/2000/svg\""))
        let rest = try #require(
            chart([.init("a", [Point(x: .nan, y: 1), Point(x: 1, y: 0.25, xInterval: 0...2)])]).file)
        #expect(count(rest, "\"plot-mark\"") == 1 && count(rest, "\"plot-interval\"") == 1)
    }

    @Test func seriesDifferInColorAndFormAndAreNamedBelow() throws {
        let points = [Point(x: 1, y: 0.1, yInterval: 0...0.2), Point(x: 2, y: 0.3, yInterval: 0.2...0.4)]
        var drawing = chart([.init("base", points), .init("tuned & more", points)])
        drawing.references = [("chance", 0.5)]
        let text = try #require(drawing.file)
        #expect(count(text, "<polyline class=\"plot-path\"") == 2 && count(text, "\"plot-interval\"") == 4)
        // Two points and a key of each: circles, then squares.
        #expect(count(text, "<circle class=\"plot-mark\"") == 3 && count(text, "<polygon class=\"plot-mark\"") == 3)
        #expect(text.contains(">tuned &amp; more</text>") && text.contains(">chance</text>"))
        #expect(count(text, "class=\"plot-reference") == 2)
        #expect(text.contains("base: guidance 1.000, share 0.100 [0.000, 0.200]"))
        drawing.isJoined = false
        #expect(try count(#require(drawing.file), "<polyline") == 0)
        #expect(text.contains("<style>") && drawing.markup != nil)
    }

    @Test func namesStandInPlaceOfAScale() throws {
        var drawing = chart([.init("a", [Point(x: 0, y: 1), Point(x: 1, y: 2)])])
        drawing.names = ["color", "shape"]
        let text = try #require(drawing.file)
        #expect(text.contains(">color</text>") && text.contains(">shape</text>") && !text.contains(">0.5</text>"))
    }
}
