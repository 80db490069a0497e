import Testing
import attune

@Suite struct TracePlotTests {
    @Test func drawsEveryLineAndEscapesItsTitle() {
        let plot = TracePlot(
            title: "a < b & c", timesteps: [981, 501, 1],
            lines: [.init(values: [1, 2, .nan], isMarked: true), .init(values: [3, 4, 5], isMarked: false)])
        let svg = plot.svg
        #expect(svg.contains("a &lt; b &amp; c"))
        #expect(svg.split(separator: "<polyline").count == 3)
        #expect(!svg.contains("nan"))
    }

    @Test func survivesNoLines() {
        #expect(TracePlot(title: "empty", timesteps: [], lines: []).svg.hasSuffix("</svg>\n"))
    }
}
