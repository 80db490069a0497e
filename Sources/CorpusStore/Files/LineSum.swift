package import Foundation

/// The checksum that a line of a log carries as its last member: `,"sum":"<16 digits>"}`. Logs are not named by their
/// bytes, so this is how a flipped bit in one is found.
package enum LineSum {
    private static let lead = Data(#","sum":""#.utf8)
    private static let digits = 16
    private static var length: Int { lead.count + digits + 2 }

    /// - Parameter object: a JSON object with at least one member, in one line.
    package static func seal(_ object: Data) -> Data {
        object.dropLast() + lead + Data(Digest(of: object).hex.prefix(digits).utf8) + Data(#""}"#.utf8)
    }

    /// Whether a line is as it was written; nil for one that carries no sum.
    package static func check(_ line: Data) -> Bool? {
        guard line.count > length else { return nil }
        let tail = line.suffix(length)
        guard tail.starts(with: lead) else { return nil }
        return seal(line.dropLast(length) + Data("}".utf8)) == line
    }
}
