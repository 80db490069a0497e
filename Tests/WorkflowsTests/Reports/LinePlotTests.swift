import Testing
import Workflows

@Suite struct LinePlotTests {
    @Test func drawsEveryLineAndEscapesItsTitle() {
        let plot = LinePlot(
            title: "a < b & c", axis: "t", positions: [981, 501, 1],
            lines: [.init(values: [1, 2, .nan], isMarked: true), .init(values: [3, 4, 5], isMarked: false)])
        let svg = plot.svg
        #expect(svg.contains("a &lt; b &amp; c"))
        #expect(svg.split(separator: "<polyline").count == 3)
        #expect(!svg.contains("nan"))
    }

    @Test func survivesNoLines() {
        #expect(LinePlot(title: "empty", axis: "t", positions: [], lines: []).svg.hasSuffix("</svg>\n"))
    }
}
