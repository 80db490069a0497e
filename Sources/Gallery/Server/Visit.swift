import Foundation

/// A request as handlers see it: plain values.
struct Visit: Sendable {
    var path: String
    var query: Query
    var session: String
    /// For forms and scripts of the page.
    var csrf: String
    var mayEdit: Bool
    /// Of a change.
    var body: [UInt8] = []
    var bodyType: String = ""

    /// A form's fields, or nothing.
    var form: Query {
        bodyType.hasPrefix("application/x-www-form-urlencoded")
            ? Query(String(decoding: body, as: UTF8.self)) : Query("")
    }

    func json<T: Decodable>(_ type: T.Type) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(type, from: Data(body)) } catch {
            throw Refusal.unusable("the request's JSON cannot be understood: \(error)")
        }
    }
}

/// The parameters of an address or a form, in their order.
package struct Query: Sendable, Equatable {
    private(set) var items: [(name: String, value: String)]

    package static func == (a: Query, b: Query) -> Bool {
        a.items.count == b.items.count && zip(a.items, b.items).allSatisfy { $0 == $1 }
    }

    package init(_ text: String) {
        items = text.split(separator: "&").prefix(200).map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(pair[0]), pair.count == 2 ? Self.decoded(pair[1]) : "")
        }
    }

    package init(_ items: [(String, String)]) { self.items = items.map { (name: $0.0, value: $0.1) } }

    /// The first value of a name; nil for one that is missing or empty.
    package subscript(_ name: String) -> String? {
        items.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    package func has(_ name: String) -> Bool { items.contains { $0.name == name } }

    /// The same with some values in place of others; nil leaves a name out.
    package func with(_ changes: KeyValuePairs<String, String?>) -> Query {
        var items = items.filter { item in !changes.contains { $0.key == item.name } && !item.value.isEmpty }
        for (name, value) in changes { if let value, !value.isEmpty { items.append((name, value)) } }
        return Query(items.map { ($0.name, $0.value) })
    }

    /// As in an address, without the question mark.
    package var encoded: String {
        items.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    /// A path with these parameters.
    package func address(_ path: String) -> String { items.isEmpty ? path : "\(path)?\(encoded)" }

    private static let plain = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:,")

    package static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
