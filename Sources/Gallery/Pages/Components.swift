import CorpusStore
import Foundation
import Markup
import Plots

/// Pieces that several pages have.
enum Components {
    /// A link to a sample's page with its image.
    ///
    /// - Parameter hides: what the image is not called by, on blind pages.
    static func image(_ row: CatalogueRow, side: Int, isLarge: Bool = false, alt: String? = nil) -> Markup {
        .tag(
            "img",
            [
                "src": isLarge ? "/images/\(row.id).png" : "/tiles/\(row.id)?side=\(side)",
                "alt": alt ?? shortened(row.prompt, to: 300), "width": "\(max(row.width, 1))",
                "height": "\(max(row.height, 1))",
                "loading": isLarge ? nil : "lazy", "decoding": "async",
                "class": isLarge && max(row.width, row.height) <= 256 ? "large pixelated" : isLarge ? "large" : nil,
            ])
    }

    static func shortened(_ text: String, to count: Int) -> String {
        text.count > count ? text.prefix(count) + "…" : text
    }

    /// Names and values.
    static func facts(_ facts: [(name: String, value: Markup)]) -> Markup {
        .tag(
            "dl", ["class": "facts"],
            facts.map { name, value in .tag("div", [:], .tag("dt", [:], "\(name)"), .tag("dd", [:], value)) })
    }

    static func table(_ caption: String, _ columns: [String], _ rows: [[Markup]]) -> Markup {
        .tag(
            "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption],
            .tag(
                "table", [:],
                .tag("caption", ["class": "hidden"], "\(caption)"),
                .tag("thead", [:], .tag("tr", [:], columns.map { .tag("th", ["scope": "col"], "\($0)") })),
                .tag("tbody", [:], rows.map { row in .tag("tr", [:], row.map { .tag("td", [:], $0) }) })))
    }

    /// What a page says that has nothing to show, and what to do.
    static func empty(_ title: String, _ content: Markup...) -> Markup {
        .tag("section", ["class": "empty"], [.tag("h2", [:], "\(title)")] + content)
    }

    static func command(_ text: String) -> Markup { .tag("pre", ["class": "command"], .tag("code", [:], "\(text)")) }

    static func link(_ text: String, to address: String) -> Markup { .tag("a", ["href": address], "\(text)") }

    static func csrf(_ visit: Visit) -> Markup {
        .tag("input", ["type": "hidden", "name": "csrf", "value": visit.csrf])
    }

    /// A choice among values.
    static func choice(
        _ name: String, label: String, _ options: [(value: String, text: String)], chosen: String?,
        isHidden: Bool = false
    ) -> Markup {
        .tag(
            "label", ["class": "field"],
            .tag("span", ["class": isHidden ? "hidden" : nil], "\(label)"),
            .tag(
                "select", ["name": name],
                options.map { option in
                    .tag(
                        "option", ["value": option.value, "selected": option.value == chosen ? "" : nil],
                        "\(option.text)")
                }))
    }

    /// What confines a listing, each with a way out.
    ///
    /// - Parameter chips: what each says, and the parts of the address that it stands for.
    static func chips(_ chips: [(text: String, without: [String])], _ visit: Visit, path: String) -> Markup {
        .tag(
            "ul", ["class": "chips", "aria-label": "What confines the listing"],
            chips.map { chip in
                let rest = Query(
                    visit.query.items.filter { !chip.without.contains($0.name) }.map { ($0.name, $0.value) })
                return .tag(
                    "li", [:],
                    .tag("a", ["href": rest.address(path), "aria-label": "Remove \(chip.text)"], "\(chip.text) ×"))
            })
    }

    static func date(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(
            Date.ISO8601FormatStyle().year().month().day().dateSeparator(.dash).time(includingFractionalSeconds: false)
                .timeSeparator(.colon).dateTimeSeparator(.space))
    }
}
