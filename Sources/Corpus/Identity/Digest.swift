import Crypto
package import Foundation

/// A SHA-256 in lower-case hexadecimal: the name of everything that a corpus keeps.
package struct Digest: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let hex: String

    package init(of bytes: some DataProtocol) {
        self.init(raw: Array(SHA256.hash(data: bytes)))
    }

    package init(of values: [Float]) {
        self = values.withUnsafeBytes { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            return Digest(raw: Array(hash.finalize()))
        }
    }

    /// Nil unless the text is 64 lower-case hexadecimal digits.
    package init?(hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.hex = hex
    }

    /// - Parameter raw: 32 bytes.
    package init(raw: [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        hex = String(decoding: raw.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The 32 bytes.
    package var raw: [UInt8] {
        func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { value(digits[$0]) << 4 | value(digits[$0 + 1]) }
    }

    package static func < (a: Digest, b: Digest) -> Bool { a.hex < b.hex }
    package var description: String { hex }

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
