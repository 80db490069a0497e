import Foundation

/// Why samples cannot be grouped or chosen: what, where, and what to do about it, in one line.
package struct CurationError: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// The option, file or value that the trouble is in.
    package let subject: String
    package let message: String

    package init(_ subject: String, _ message: String) { (self.subject, self.message) = (subject, message) }

    package var description: String { "\(subject): \(message)" }
    package var errorDescription: String? { description }
}
