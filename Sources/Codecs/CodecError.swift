import Foundation

/// Why bytes could not be encoded or decoded.
package struct CodecError: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    package let description: String

    package init(_ description: String) { self.description = description }
    package var errorDescription: String? { description }
}
