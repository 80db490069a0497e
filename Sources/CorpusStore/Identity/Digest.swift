package import Foundation
package import Hashing

/// A SHA-256: the name of everything that a corpus keeps. Held as its 32 bytes, written in lower-case hexadecimal.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The 32 bytes as four big-endian words, so that comparing words compares bytes.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    package init(of bytes: some DataProtocol) {
        var hash = SHA256()
        hash.update(data: bytes)
        self.init(hash)
    }

    /// Of all that went into `hash`.
    package init(_ hash: SHA256) { self = hash.finalize().withUnsafeBytes { Digest(bytes: $0) } }

    package init(of values: [Float]) { self = values.withUnsafeBytes { Digest(ofBytes: $0) } }

    package init(ofBytes bytes: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        self.init(hash)
    }

    /// Nil unless the text is 64 lower-case hexadecimal digits.
    package init?(hex: String) {
        var text = hex
        let parsed = text.withUTF8 { digits in digits.count == 64 ? Digest(digits: digits) : nil }
        guard let parsed else { return nil }
        self = parsed
    }

    /// - Parameter digits: 64 lower-case hexadecimal digits; nil for anything else.
    init?(digits: UnsafeBufferPointer<UInt8>) {
        guard digits.count == 64 else { return nil }
        var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        let isWhole = withUnsafeMutableBytes(of: &words) { bytes in
            for index in 0..<32 {
                let (high, low) = (Self.value(digits[2 * index]), Self.value(digits[2 * index + 1]))
                if high > 15 || low > 15 { return false }
                bytes[index] = high << 4 | low
            }
            return true
        }
        guard isWhole else { return nil }
        self = withUnsafeBytes(of: &words) { Digest(bytes: $0) }
    }

    /// - Parameter raw: 32 bytes.
    package init(raw: some Collection<UInt8>) {
        precondition(raw.count == 32, "a SHA-256 has 32 bytes")
        self = Array(raw).withUnsafeBytes { Digest(bytes: $0) }
    }

    /// - Parameter bytes: at least 32.
    init(bytes: UnsafeRawBufferPointer) {
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// The 32 bytes.
    package var raw: [UInt8] { withBytes { Array($0) } }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let stored = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        return try withUnsafeBytes(of: stored, body)
    }

    /// The number that the first fifteen hexadecimal digits are.
    package var leading60Bits: UInt64 { words.0 >> 4 }

    /// The last of the 32 bytes.
    package var lastByte: UInt8 { UInt8(truncatingIfNeeded: words.3) }

    package var hex: String {
        withBytes { bytes in
            String(unsafeUninitializedCapacity: 64) { digits in
                for index in 0..<32 {
                    digits[2 * index] = Self.digit(bytes[index] >> 4)
                    digits[2 * index + 1] = Self.digit(bytes[index] & 15)
                }
                return 64
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    private static func value(_ digit: UInt8) -> UInt8 {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: .max
        }
    }

    package static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }
    package static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }

    package func hash(into hasher: inout Hasher) {
        // The words of a digest are as good as random: one of them tells most digests apart.
        hasher.combine(words.0)
        hasher.combine(words.1)
    }

    package var description: String { hex }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 in hexadecimal")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
