import Markup
import Plots

/// The colors of a map's points: each has a contrast of 3 to 1 or more with the paper of light and dark pages.
enum MapColors {
    /// Of texts, the most frequent first.
    static let texts = [
        "#2f74d0", "#c9560f", "#1f8a5f", "#b4489d", "#8a7400", "#6f67d8", "#c2405a", "#0c8699",
    ]
    /// Of numbers, from the lowest to the highest.
    static let ramp = ["#3a6fd8", "#7a5fd0", "#b04fb0", "#cf4a72", "#cf5a2a", "#a87400"]
    /// Of what has no value, and of the texts that have no color of their own.
    static let missing = "#7b8894"

    /// What the script needs to know: `none`, `numbers` or `texts`.
    static func kind(_ coloring: MapListing.Coloring) -> String {
        switch coloring {
        case .none: "none"
        case .numbers: "numbers"
        case .texts: "texts"
        }
    }

    /// What the colors mean.
    static func legend(_ coloring: MapListing.Coloring, column: String) -> Markup {
        switch coloring {
        case .none: return .empty
        case .numbers(let values, let range):
            let missing = values.count { $0.isNaN }
            return .tag(
                "figure", ["class": "map-legend"],
                .tag("figcaption", [:], "\(OverviewPage.axis(column))"),
                .tag("span", [:], "\(Figure.short(range.lowerBound))"),
                .tag(
                    "svg",
                    [
                        "width": "200", "height": "14", "viewBox": "0 0 200 14", "role": "img",
                        "aria-label": "Colors from the lowest value, blue, to the highest, ochre",
                    ],
                    .tag(
                        "linearGradient", ["id": "map-ramp"],
                        ramp.enumerated().map { place, color in
                            .tag(
                                "stop",
                                ["offset": "\(place * 100 / (ramp.count - 1))%", "stop-color": color])
                        }),
                    .tag("rect", ["width": "200", "height": "14", "rx": "3", "fill": "url(#map-ramp)"])),
                .tag("span", [:], "\(Figure.short(range.upperBound))"),
                missing > 0 ? entry(self.missing, "none: \(Figure.grouped(missing))") : .empty)
        case .texts(_, let names, let others, let missing):
            return .tag(
                "figure", ["class": "map-legend"],
                .tag("figcaption", [:], "\(column)"),
                .tag(
                    "ul", ["class": "legend"],
                    names.enumerated().map { place, name in
                        .tag(
                            "li", [:],
                            entry(
                                texts[place % texts.count],
                                "\(Components.shortened(name.name, to: 60)): \(Figure.grouped(name.count))"))
                    } + [
                        others > 0
                            ? .tag("li", [:], entry(self.missing, "others: \(Figure.grouped(others))")) : .empty,
                        missing > 0 ? .tag("li", [:], entry(self.missing, "none: \(Figure.grouped(missing))")) : .empty,
                    ]))
        }
    }

    private static func entry(_ color: String, _ text: String) -> Markup {
        .tag(
            "span", ["class": "swatch"],
            .tag(
                "svg", ["width": "12", "height": "12", "viewBox": "0 0 12 12", "aria-hidden": "true"],
                .tag("circle", ["cx": "6", "cy": "6", "r": "5", "fill": color])),
            "\(text)")
    }
}
