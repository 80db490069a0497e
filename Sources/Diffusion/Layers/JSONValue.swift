import Foundation

/// A value of a configuration file, for fields that are judged before anything reads them.
package indirect enum JSONValue: Sendable, Hashable, Codable {
    case null
    case bool(Bool)
    case number(Double)
    /// A whole number beyond 2⁵³, which not every `Double` tells from its neighbors.
    case integer(Int128)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Double.self) {
            self = Self.exact(value, container).map { .integer($0) } ?? .number(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    private static func exact(_ value: Double, _ container: any SingleValueDecodingContainer) -> Int128? {
        guard abs(value) >= 0x1p53 else { return nil }
        if let whole = try? container.decode(UInt64.self) { return Int128(whole) }
        return (try? container.decode(Int64.self)).map { Int128($0) }
    }

    /// The nearest number; nil for what is not a number.
    package var double: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        case .null, .bool, .text, .list, .object: nil
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .integer(let value):
            if let whole = UInt64(exactly: value) {
                try container.encode(whole)
            } else {
                try container.encode(Int64(value))
            }
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// Whether the field says nothing: what optional features have when they are off.
    var isOff: Bool { self == .null || self == .bool(false) }
}

extension JSONValue: CustomStringConvertible {
    /// As a file has it, shortened to fit a message.
    package var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .integer(let value): "\(value)"
        case .text(let value): "\"\(value.prefix(60))\""
        case .list(let values):
            "[\(values.prefix(4).map(\.description).joined(separator: ", "))\(values.count > 4 ? ", …" : "")]"
        case .object: "{…}"
        }
    }
}

extension JSONValue {
    /// The members of a JSON object.
    ///
    /// Python writes infinities as bare words, as diffusers does in scheduler files; they become the texts "Infinity",
    /// "-Infinity" and "NaN".
    static func members(of data: Data) throws -> [String: JSONValue] {
        try JSONDecoder().decode([String: JSONValue].self, from: quotingWords(data))
    }

    private static func quotingWords(_ data: Data) -> Data {
        let words = ["-Infinity", "Infinity", "NaN"].map { Array($0.utf8) }
        let bytes = Array(data)
        // Hardly any file has them.
        guard bytes.contains(UInt8(ascii: "I")) || bytes.contains(UInt8(ascii: "N")) else { return data }
        var out = Data()
        var (at, inText) = (0, false)
        while at < bytes.count {
            let byte = bytes[at]
            if inText {
                if byte == UInt8(ascii: "\\"), at + 1 < bytes.count {
                    out.append(byte)
                    at += 1
                } else if byte == UInt8(ascii: "\"") {
                    inText = false
                }
            } else if byte == UInt8(ascii: "\"") {
                inText = true
            } else if let word = words.first(where: { bytes[at...].starts(with: $0) }) {
                out.append(UInt8(ascii: "\""))
                out.append(contentsOf: word)
                out.append(UInt8(ascii: "\""))
                at += word.count
                continue
            }
            out.append(bytes[at])
            at += 1
        }
        return out
    }
}
