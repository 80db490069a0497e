import Foundation
import Markup

/// A report: one file that needs no other, to be read in any browser, light or dark.
struct ReportDocument {
    struct Section {
        let name: String
        let content: [Markup]

        init(_ name: String, _ content: [Markup]) { (self.name, self.content) = (name, content) }

        var id: String { name.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined() }
    }

    let title: String
    /// Below the title.
    let subtitle: String
    let sections: [Section]

    var text: String {
        let head: [Markup] = [
            .tag("meta", ["charset": "utf-8"]),
            .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
            // It asks nobody for anything, and runs nothing.
            .tag(
                "meta",
                [
                    "http-equiv": "Content-Security-Policy",
                    "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
                ]),
            .tag("title", [:], "\(title)"),
            .tag("style", [:], "\(ReportStyle.css)"),
        ]
        let contents = Markup.tag(
            "nav", ["aria-label": "Contents"],
            .tag("ul", [:], sections.map { .tag("li", [:], .tag("a", ["href": "#\($0.id)"], "\($0.name)")) }))
        let body = sections.map { section in
            Markup.tag("section", ["id": section.id], [.tag("h2", [:], "\(section.name)")] + section.content)
        }
        return Markup.tag(
            "html", ["lang": "en"],
            .tag("head", [:], head),
            .tag(
                "body", [:],
                [
                    .tag("header", [:], .tag("h1", [:], "\(title)"), .tag("p", ["class": "quiet"], "\(subtitle)")),
                    contents, .tag("main", [:], body),
                ])
        ).document
    }

    /// - Parameter columns: their names; empty names for a list of names and values.
    static func table(_ caption: String, _ columns: [String], _ rows: [[String]]) -> Markup {
        let isList = columns.allSatisfy(\.isEmpty)
        func cell(_ place: Int, _ text: String) -> Markup {
            isList && place == 0 ? .tag("th", ["scope": "row"], "\(text)") : .tag("td", [:], "\(text)")
        }
        return .tag(
            "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption],
            .tag(
                "table", [:],
                .tag("caption", ["class": "hidden"], "\(caption)"),
                isList
                    ? .empty
                    : .tag("thead", [:], .tag("tr", [:], columns.map { .tag("th", ["scope": "col"], "\($0)") })),
                .tag(
                    "tbody", [:],
                    rows.map { row in .tag("tr", [:], row.enumerated().map { cell($0.offset, $0.element) }) })))
    }

    static func card(_ title: String? = nil, _ content: Markup...) -> Markup {
        .tag("div", ["class": "card"], (title.map { [.tag("h3", [:], "\($0)")] } ?? []) + content)
    }

    /// Puts the report in its place, in one step.
    func write(to file: URL) throws(Failure) {
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file, options: .atomic)
        } catch {
            throw Failure("\(file.path): cannot be written (\(error.localizedDescription)); check --to, and make room")
        }
    }
}
