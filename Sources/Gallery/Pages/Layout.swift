import Markup

/// What all pages have around their content.
struct Layout: Sendable {
    enum Place: String, CaseIterable {
        case overview = "Overview"
        case samples = "Samples"
        case map = "Map"
        case duplicates = "Duplicates"
        case compare = "Compare"
        case runs = "Runs"
        case selections = "Selections"

        var path: String {
            switch self {
            case .overview: "/"
            default: "/" + rawValue.lowercased()
            }
        }
    }

    var title: String
    /// The part of the gallery that the page belongs to; nil for none.
    var place: Place?
    var visit: Visit
    /// Scripts of the page, by the names of their assets.
    var scripts: [String] = []
    /// What is wrong with the corpus as a whole.
    var warning: String?
    /// Whether the page's content uses the whole width.
    var isWide = false
    /// Seconds after which the page is loaded again, while something is being made; nil for never.
    var refresh: Int?

    func page(_ content: Markup...) -> Markup {
        .tag(
            "html", ["lang": "en"],
            .tag(
                "head", [:],
                [
                    .tag("meta", ["charset": "utf-8"]),
                    .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                    .tag("meta", ["name": "color-scheme", "content": "light dark"]),
                    .tag("meta", ["name": "csrf", "content": visit.mayEdit ? visit.csrf : ""]),
                    reload,
                    .tag("title", [:], "\(title) · Attune"),
                    .tag("link", ["rel": "icon", "href": "/assets/icon.svg", "type": "image/svg+xml"]),
                    .tag("link", ["rel": "stylesheet", "href": Assets.address("gallery.css")]),
                    .tag("link", ["rel": "stylesheet", "href": Assets.address("plots.css")]),
                ]
                    + (["common.js"] + scripts).map {
                        .tag("script", ["src": Assets.address($0), "defer": ""])
                    }),
            .tag(
                "body", ["data-edits": visit.mayEdit ? "yes" : "no"],
                .tag("a", ["class": "skip", "href": "#main"], "Skip to content"),
                header,
                .tag("main", ["id": "main", "tabindex": "-1", "class": isWide ? "wide" : nil], [notice] + content),
                .tag("div", ["id": "toast", "role": "status", "aria-live": "polite"]),
                HelpDialog.markup(mayEdit: visit.mayEdit)))
    }

    private var reload: Markup {
        guard let refresh else { return .empty }
        return .tag("meta", ["http-equiv": "refresh", "content": "\(refresh)"])
    }

    private var header: Markup {
        .tag(
            "header", ["class": "top"],
            .tag("a", ["class": "brand", "href": "/"], "Attune"),
            .tag(
                "nav", ["aria-label": "Gallery"],
                Place.allCases.map { place in
                    .tag(
                        "a", ["href": place.path, "aria-current": place == self.place ? "page" : nil],
                        "\(place.rawValue)")
                }),
            .tag(
                "form", ["class": "find", "role": "search", "action": "/samples", "method": "get"],
                .tag("label", ["class": "hidden", "for": "find"], "Search prompts"),
                .tag(
                    "input",
                    [
                        "id": "find", "type": "search", "name": "search", "placeholder": "Search prompts",
                        "value": visit.query["search"], "autocomplete": "off",
                    ])),
            .tag(
                "button",
                ["type": "button", "id": "help-button", "class": "quiet", "aria-label": "Keyboard shortcuts"],
                "?"))
    }

    private var notice: Markup {
        guard let warning else { return .empty }
        return .tag(
            "p", ["class": "warning", "role": "alert"],
            "Part of the corpus cannot be read, and the samples there are left out: \(warning); run attune verify.")
    }
}

/// What the keys do.
enum HelpDialog {
    static func markup(mayEdit: Bool) -> Markup {
        func row(_ keys: String, _ what: String) -> Markup {
            .tag("div", [:], .tag("dt", [:], .tag("kbd", [:], "\(keys)")), .tag("dd", [:], "\(what)"))
        }
        return .tag(
            "dialog", ["id": "help", "aria-labelledby": "help-title"],
            .tag("h2", ["id": "help-title"], "Keyboard shortcuts"),
            .tag(
                "dl", ["class": "keys"],
                row("← → ↑ ↓", "move between samples"),
                row("Enter", "open the sample"),
                row("Space", "pick, or take the pick back"),
                row("x", "reject, or take that back"),
                row("1 – 5, 0", "give stars, or none"),
                row("t", "tag"),
                row("c", "compare with the one chosen before"),
                row("/", "search prompts"),
                row("?", "show this help")),
            .tag(
                "p", ["class": "quiet"],
                mayEdit
                    ? "Picks, stars and tags are annotations: columns of attune query."
                    : "This gallery is read-only; attune serve --allow-edits lets you pick, star and tag."),
            .tag("form", ["method": "dialog"], .tag("button", [:], "Close")))
    }
}
