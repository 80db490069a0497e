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
    package var rendered: String { String(decoding: bytes, as: UTF8.self) }

    /// The markup as UTF-8.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }

    /// A whole HTML document.
    package var document: String { String(decoding: documentBytes, as: UTF8.self) }

    /// The same as UTF-8.
    package var documentBytes: [UInt8] {
        var out = Array("<!doctype html>\n".utf8)
        write(to: &out)
        return out
    }

    /// In bytes: pages are megabytes of text, which strings put together a scalar at a time.
    private func write(to out: inout [UInt8]) {
        switch node {
        case .text(let text): Self.escape(text, into: &out)
        case .group(let pieces): for piece in pieces { piece.write(to: &out) }
        case .tag(let name, let attributes, let content):
            out.append(UInt8(ascii: "<"))
            Self.append(name, to: &out)
            for (key, value) in attributes {
                out.append(UInt8(ascii: " "))
                Self.append(key, to: &out)
                if value.isEmpty, Self.isFlag("\(key)") { continue }
                out += [UInt8(ascii: "="), UInt8(ascii: "\"")]
                Self.escape(value, into: &out)
                out.append(UInt8(ascii: "\""))
            }
            out.append(UInt8(ascii: ">"))
            if Self.void.contains("\(name)") { return }
            for piece in content { piece.write(to: &out) }
            out += [UInt8(ascii: "<"), UInt8(ascii: "/")]
            Self.append(name, to: &out)
            out.append(UInt8(ascii: ">"))
        }
    }

    private static func append(_ name: StaticString, to out: inout [UInt8]) {
        name.withUTF8Buffer { out.append(contentsOf: $0) }
    }

    /// Attributes that say something by being there.
    private static func isFlag(_ name: String) -> Bool {
        ["checked", "selected", "disabled", "hidden", "required", "autofocus", "open", "defer", "async", "multiple"]
            .contains(name)
    }

    /// Control characters that HTML does not allow become U+FFFD, so that a document is always well-formed.
    private static func escape(_ text: String, into out: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): out.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): out.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): out.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): out.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): out.append(contentsOf: "&#39;".utf8)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): out.append(byte)
            case 0..<0x20, 0x7F: out.append(contentsOf: "\u{FFFD}".utf8)
            default: out.append(byte)
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
