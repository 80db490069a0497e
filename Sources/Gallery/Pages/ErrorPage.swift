import Markup

enum ErrorPage {
    static func page(_ status: Int, _ reason: String, _ layout: Layout) -> Markup {
        layout.page(
            .tag("h1", [:], "\(title(status))"),
            .tag("p", ["class": "warning", "role": "alert"], "\(reason)"),
            .tag("p", [:], Components.link("Back to the overview", to: "/")))
    }

    /// For those who are not let in: it shows nothing of the corpus and no way further.
    static func outside(_ status: Int, _ reason: String) -> Markup {
        .tag(
            "html", ["lang": "en"],
            .tag(
                "head", [:],
                .tag("meta", ["charset": "utf-8"]), .tag("title", [:], "Attune"),
                .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])),
            .tag("body", [:], .tag("h1", [:], "\(title(status))"), .tag("p", [:], "\(reason)")))
    }

    /// After the token has moved from the address into a cookie. A redirect would be part of the navigation that another
    /// site may have begun, on which browsers send no strict cookie.
    static func welcome(_ address: String) -> Markup {
        .tag(
            "html", ["lang": "en"],
            .tag(
                "head", [:],
                .tag("meta", ["charset": "utf-8"]), .tag("title", [:], "Attune"),
                .tag("link", ["rel": "icon", "href": "/assets/icon.svg", "type": "image/svg+xml"]),
                .tag("meta", ["http-equiv": "refresh", "content": "0; url=\(address)"])),
            .tag("body", [:], .tag("p", [:], .tag("a", ["href": address], "Open the gallery"))))
    }

    private static func title(_ status: Int) -> String {
        switch status {
        case 400: "That cannot be done"
        case 401: "A token is needed"
        case 403: "Not allowed"
        case 404: "Not found"
        case 409: "Somebody was faster"
        case 413: "Too much at once"
        case 421: "Another name"
        case 422: "An image that cannot be decoded"
        case 503: "Not yet"
        default: "That went wrong"
        }
    }
}
