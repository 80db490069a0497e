/// HTML or SVG that is escaped by construction: text and attribute values come in as they are and are escaped when the
/// markup is written; the names of tags and attributes are literals of the source.
///
/// ```swift
/// Markup.tag("p", ["class": "prompt"], "\(prompt)")
/// ```
package struct Markup: Sendable {
    private indirect enum Node: Sendable {
        case text(String)
        case tag(StaticString, [(StaticString, String)], [Markup])
        case group([Markup])
    }

    private let node: Node

    private init(_ node: Node) { self.node = node }

    /// Text, however hostile.
    package static func text(_ text: String) -> Markup { Markup(.text(text)) }

    /// Several pieces, one after the other.
    package static func group(_ pieces: [Markup]) -> Markup { Markup(.group(pieces)) }

    package static var empty: Markup { Markup(.group([])) }

    /// An element.
    ///
    /// - Parameters:
    ///   - name: of the tag.
    ///   - attributes: an attribute whose value is nil is left out; one whose value is empty stands alone.
    ///   - content: of the element; void elements have none.
    package static func tag(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?> = [:], _ content: [Markup] = []
    ) -> Markup {
        Markup(.tag(name, attributes.compactMap { key, value in value.map { (key, $0) } }, content))
    }

    package static func tag(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?> = [:], _ content: Markup...
    ) -> Markup { tag(name, attributes, content) }

    /// This where a condition holds, else nothing.
    package func when(_ condition: Bool) -> Markup { condition ? self : .empty }

    /// The elements that HTML knows without an end tag.
    private static let void: Set<String> = ["meta", "link", "img", "input", "br", "hr"]

    /// The markup as text.
    package var rendered: String {
        var out = ""
        write(to: &out)
        return out
    }

    /// A whole HTML document.
    package var document: String { "<!doctype html>\n" + rendered }

    private func write(to out: inout String) {
        switch node {
        case .text(let text): Self.escape(text, into: &out)
        case .group(let pieces): for piece in pieces { piece.write(to: &out) }
        case .tag(let name, let attributes, let content):
            out += "<\(name)"
            for (key, value) in attributes {
                out += " \(key)"
                if value.isEmpty, Self.isFlag("\(key)") { continue }
                out += "=\""
                Self.escape(value, into: &out)
                out += "\""
            }
            out += ">"
            if Self.void.contains("\(name)") { return }
            for piece in content { piece.write(to: &out) }
            out += "</\(name)>"
        }
    }

    /// Attributes that say something by being there.
    private static func isFlag(_ name: String) -> Bool {
        ["checked", "selected", "disabled", "hidden", "required", "autofocus", "open", "defer", "async", "multiple"]
            .contains(name)
    }

    /// Control characters that HTML does not allow become U+FFFD, so that a document is always well-formed.
    private static func escape(_ text: String, into out: inout String) {
        let isPlain = text.utf8.allSatisfy { byte in
            byte >= 0x20 && byte != UInt8(ascii: "&") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
                && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'") && byte != 0x7F
        }
        if isPlain {
            out += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\n", "\r", "\t": out.unicodeScalars.append(scalar)
            case "\0"..."\u{1F}", "\u{7F}": out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Markup: ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) { self.init(.text(value)) }
}

extension Markup: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Markup...) { self.init(.group(elements)) }
}
