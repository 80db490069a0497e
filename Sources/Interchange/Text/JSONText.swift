/// JSON as programs really write it: with Python's NaN and Infinity, numbers of any size, and texts cut within a
/// surrogate pair. Numbers keep their spelling.
indirect enum JSONText: Equatable {
    case null
    case bool(Bool)
    /// As it is spelled; also `NaN`, `Infinity` and `-Infinity`.
    case number(String)
    case text(String)
    /// A text with half of a surrogate pair, which is not a character.
    case brokenText
    case list([JSONText])
    /// The last of members with one name counts, as in Python.
    case object([String: JSONText])

    /// - Returns: nil for anything but one JSON value in UTF-8.
    init?(_ bytes: some Collection<UInt8>) {
        var reader = Reader(bytes: Array(bytes))
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipBlanks()
        guard reader.place == reader.bytes.count else { return nil }
        self = value
    }

    var members: [String: JSONText]? {
        if case .object(let members) = self { members } else { nil }
    }

    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        /// Deeper nesting is nobody's metadata.
        private static let deepest = 512

        mutating func skipBlanks() {
            while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        }

        private mutating func take(_ text: String) -> Bool {
            guard bytes[place...].starts(with: text.utf8) else { return false }
            place += text.utf8.count
            return true
        }

        mutating func value(depth: Int) -> JSONText? {
            guard depth < Self.deepest else { return nil }
            skipBlanks()
            guard place < bytes.count else { return nil }
            switch bytes[place] {
            case UInt8(ascii: "{"): return object(depth)
            case UInt8(ascii: "["): return list(depth)
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
            case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
            case UInt8(ascii: "n"): return take("null") ? .null : nil
            case UInt8(ascii: "N"): return take("NaN") ? .number("NaN") : nil
            case UInt8(ascii: "I"): return take("Infinity") ? .number("Infinity") : nil
            default:
                if take("-Infinity") { return .number("-Infinity") }
                return number()
            }
        }

        private mutating func object(_ depth: Int) -> JSONText? {
            place += 1
            var members: [String: JSONText] = [:]
            skipBlanks()
            if take("}") { return .object(members) }
            while true {
                skipBlanks()
                guard place < bytes.count, bytes[place] == UInt8(ascii: "\""), let name = string() else { return nil }
                skipBlanks()
                guard take(":"), let value = value(depth: depth + 1) else { return nil }
                // A member whose name is broken cannot be asked for.
                if case .text(let name) = name { members[name] = value }
                skipBlanks()
                if take("}") { return .object(members) }
                guard take(",") else { return nil }
            }
        }

        private mutating func list(_ depth: Int) -> JSONText? {
            place += 1
            var values: [JSONText] = []
            skipBlanks()
            if take("]") { return .list(values) }
            while true {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                skipBlanks()
                if take("]") { return .list(values) }
                guard take(",") else { return nil }
            }
        }

        private mutating func number() -> JSONText? {
            let start = place
            func digits(_ place: inout Int) -> Int {
                let first = place
                while place < bytes.count, (48...57).contains(bytes[place]) { place += 1 }
                return place - first
            }
            _ = take("-")
            let leading = place
            guard digits(&place) > 0, bytes[leading] != UInt8(ascii: "0") || place == leading + 1 else { return nil }
            if take(".") { guard digits(&place) > 0 else { return nil } }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                guard digits(&place) > 0 else { return nil }
            }
            return .number(String(decoding: bytes[start..<place], as: UTF8.self))
        }

        private mutating func string() -> JSONText? {
            place += 1
            var (text, isBroken) = ([UInt8](), false)
            while place < bytes.count {
                let start = place
                while place < bytes.count, bytes[place] >= 0x20, bytes[place] != UInt8(ascii: "\""),
                    bytes[place] != UInt8(ascii: "\\")
                { place += 1 }
                text += bytes[start..<place]
                guard place < bytes.count else { return nil }
                if take("\"") {
                    guard let text = String(validating: text, as: UTF8.self) else { return nil }
                    return isBroken ? .brokenText : .text(text)
                }
                // Control characters stand as escapes only.
                guard take("\\"), let escaped = escape(&isBroken) else { return nil }
                text += escaped
            }
            return nil
        }

        private mutating func escape(_ isBroken: inout Bool) -> [UInt8]? {
            guard place < bytes.count else { return nil }
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "b"): return [8]
            case UInt8(ascii: "f"): return [12]
            case UInt8(ascii: "n"): return [10]
            case UInt8(ascii: "r"): return [13]
            case UInt8(ascii: "t"): return [9]
            case UInt8(ascii: "u"): break
            default: return nil
            }
            guard var code = hexadecimal() else { return nil }
            if (0xD800..<0xDC00).contains(code) {
                let after = place
                if take("\\u"), let low = hexadecimal(), (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    place = after
                }
            }
            guard let scalar = UnicodeScalar(code) else {
                isBroken = true
                return []
            }
            return Array(String(Character(scalar)).utf8)
        }

        private mutating func hexadecimal() -> UInt32? {
            guard place + 4 <= bytes.count else { return nil }
            var value: UInt32 = 0
            for byte in bytes[place..<place + 4] {
                guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
                value = value << 4 | UInt32(digit)
            }
            place += 4
            return value
        }
    }
}
