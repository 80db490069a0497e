package import Foundation

extension JSONEncoder {
    /// Writes the same value as the same bytes: members sorted by name, slashes as they are. Documents that are named by
    /// their SHA-256 take ``CanonicalJSON``, whose spelling other programs can reproduce.
    package static var stable: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
