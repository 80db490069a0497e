import Foundation

/// Why something cannot be measured: what, where, and what to do about it, in one line.
package struct MetricsError: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// The file or value that the trouble is in.
    package let subject: String
    package let message: String

    package init(_ subject: String, _ message: String) { (self.subject, self.message) = (subject, message) }

    package var description: String { "\(subject): \(message)" }
    package var errorDescription: String? { description }
}
