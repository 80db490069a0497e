import Foundation

/// Why bytes could not be encoded or decoded.
package struct CodecError: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    package let description: String
    /// Whether the bytes are well, and of a kind that is not read.
    package let isUnsupported: Bool

    package init(_ description: String, unsupported isUnsupported: Bool = false) {
        (self.description, self.isUnsupported) = (description, isUnsupported)
    }

    package var errorDescription: String? { description }
}
