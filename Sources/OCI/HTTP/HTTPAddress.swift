import Foundation

/// An http or https address. Path and query stay byte for byte what they were: registries and storage services sign
/// them.
///
/// Foundation's `URL` escapes a whole query again when one character in it is not allowed, `%2B` becoming `%252B`.
package struct HTTPAddress: Hashable, Sendable {
    let origin: HTTPOrigin
    /// Path and query, as they go over the wire.
    private(set) var target: String

    init(_ origin: HTTPOrigin, target: String) {
        let start = target.hasPrefix("/") ? target : "/" + target
        (self.origin, self.target) = (origin, Self.sendable(start))
    }

    /// Nil for anything but an absolute http or https address.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            let scheme = HTTPOrigin.Scheme(rawValue: text[..<colon].lowercased())
        else { return nil }
        self.init(scheme, afterSlashes: text[colon...].dropFirst(3))
    }

    private init?(_ scheme: HTTPOrigin.Scheme, afterSlashes text: Substring) {
        let authority = text.prefix { !"/?#\\".contains($0) }
        guard let origin = HTTPOrigin(scheme, authority: authority) else { return nil }
        self.init(origin, target: String(Self.withoutFragment(text.dropFirst(authority.count))))
    }

    /// What a Location header means that came in answer to this address: absolute, or relative in any of the forms of
    /// RFC 3986, section 4.2. Nil where it is not an http address.
    package func resolving(_ reference: String) -> HTTPAddress? {
        let text = Substring(reference.trimmingCharacters(in: .whitespacesAndNewlines))
        guard !text.isEmpty else { return nil }
        if text.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:/) != nil { return HTTPAddress(String(text)) }
        if text.hasPrefix("//") { return HTTPAddress(origin.scheme, afterSlashes: text.dropFirst(2)) }
        let relative = Self.withoutFragment(text)
        let path = target.prefix { $0 != "?" }
        if relative.isEmpty { return self }
        if relative.hasPrefix("/") { return HTTPAddress(origin, target: String(relative)) }
        if relative.hasPrefix("?") { return HTTPAddress(origin, target: String(path) + String(relative)) }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        let query = relative.drop { $0 != "?" }
        let joined = String(folder) + String(relative.prefix { $0 != "?" })
        return HTTPAddress(origin, target: Self.withoutDots(Substring(joined)) + String(query))
    }

    /// The same address with one more item at the end of its query.
    func appending(_ name: String, _ value: String) -> HTTPAddress {
        var next = self
        let separator = !target.contains("?") ? "?" : target.hasSuffix("?") || target.hasSuffix("&") ? "" : "&"
        next.target += separator + name + "=" + Self.escaped(value)
        return next
    }

    package var text: String { "\(origin.scheme.rawValue)://\(origin.authority)\(target)" }

    /// The address without its query, which can carry tokens and upload state: fit for messages and logs.
    var withoutQuery: String { String(text.prefix { $0 != "?" }) }

    /// A value of a query or of a form, with everything escaped that could mean something else.
    static func escaped(_ value: String) -> String {
        value.utf8.reduce(into: "") { text, byte in
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~:/,".contains(character) {
                text.append(character)
            } else {
                text += escape(byte)
            }
        }
    }

    private static func escape(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "%0" + digits : "%" + digits
    }

    /// Escapes what would break the request's first line, and nothing else.
    private static func sendable(_ target: String) -> String {
        guard target.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) else { return target }
        return target.utf8.reduce(into: "") { text, byte in
            if byte <= 0x20 || byte >= 0x7F {
                text += escape(byte)
            } else {
                text.append(Character(Unicode.Scalar(byte)))
            }
        }
    }

    private static func withoutFragment(_ text: Substring) -> Substring { text.prefix { $0 != "#" } }

    /// Takes `.` and `..` out of a path that was put together here; one that came complete stays as it is.
    private static func withoutDots(_ path: Substring) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var kept: [Substring] = []
        for part in parts {
            switch part {
            case ".": continue
            case "..": _ = kept.popLast()
            default: kept.append(part)
            }
        }
        if let last = parts.last, last == "." || last == ".." { kept.append("") }
        return "/" + kept.joined(separator: "/")
    }
}
