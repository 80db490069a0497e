import Foundation

/// `value` with a fixed number of decimals.
package func formatted(_ value: Double, digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// `text` in one line: its lines without the blanks around them, joined by a space.
package func joinedLines(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
}

/// `value` as JSON with sorted keys in snake case.
///
/// - Throws: what the encoder throws, as for a number that is not finite.
package func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
