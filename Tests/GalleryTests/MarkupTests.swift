import Markup
import Plots
import Testing

@Suite("Markup")
struct MarkupTests {
    @Test func textAndAttributesAreEscaped() {
        let hostile = "<script>&\"'</script>\u{0}"
        let markup = Markup.tag("p", ["title": hostile, "class": nil, "hidden": ""], "\(hostile)")
        #expect(
            markup.rendered
                == "<p title=\"&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;\u{FFFD}\" hidden>&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;\u{FFFD}</p>"
        )
    }

    @Test func emptyValuesOfOrdinaryAttributesStay() {
        #expect(Markup.tag("option", ["value": ""], "none").rendered == "<option value=\"\">none</option>")
        #expect(Markup.tag("br").rendered == "<br>")
    }

    @Test func literalsAreText() {
        let markup: Markup = ["a < b", .tag("b", [:], "c")]
        #expect(markup.rendered == "a &lt; b<b>c</b>")
    }

    @Test func plotsOfOddValues() throws {
        #expect(LineChart(title: "t", x: "x", y: "y", lines: []).markup == nil)
        #expect(LineChart(title: "t", x: "x", y: "y", lines: [.init([(0, .nan), (1, .infinity)])]).markup == nil)
        let one = try #require(LineChart(title: "<t>", x: "x", y: "y", lines: [.init([(3, 2)])]).markup).rendered
        #expect(one.contains("<circle") && one.contains("&lt;t&gt;"))
        let constant = try #require(LineChart(title: "t", x: "x", y: "y", lines: [.init([(0, 5), (1, 5)])]).markup)
        #expect(!constant.rendered.contains("nan"))
        let many = (0..<100_000).map { (x: Double($0), y: Double($0 % 7)) }
        let thinned = try #require(LineChart(title: "t", x: "x", y: "y", lines: [.init(many)]).markup).rendered
        #expect(thinned.utf8.count < 30_000)
        #expect(Histogram(title: "t", axis: "a", range: 0...0, counts: [0]).markup == nil)
        let single = try #require(Histogram(title: "t", axis: "a", range: 4...4, counts: [9]).markup).rendered
        #expect(single.contains("9 samples") && !single.contains("nan"))
    }

    @Test(arguments: [
        (0.0, "0.000"), (1234.5, "1234.5"), (-0.00001, "-1e-5"), (12.345, "12.35"), (2.5e7, "2.5e7"), (-0.0, "0.000"),
    ])
    func figures(_ value: Double, _ text: String) { #expect(Figure.short(value) == text) }

    @Test func counts() {
        #expect(Figure.grouped(1_234_567) == "1,234,567")
        #expect(Figure.grouped(-100) == "-100")
        #expect(Figure.bytes(1536) == "1.5 KiB")
        #expect(Figure.clock(3_661) == "1:01:01")
    }
}
