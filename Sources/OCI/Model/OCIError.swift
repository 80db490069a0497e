/// Why an artifact could not be pushed or pulled: where, what, and what to do, in one line.
package struct OCIError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The kinds of trouble, for callers that act on them.
    package enum Code: Sendable, Equatable {
        /// The reference, or an option, makes no sense.
        case badReference
        case notFound
        /// The registry wants other credentials, or none were given.
        case unauthorized
        /// What came is not what its digest or size says.
        case mismatch
        /// A document that does not follow its schema.
        case malformed
        /// The other side could not be reached, or failed, however often it was asked.
        case unavailable
        /// A redirect or a token service that credentials must not go to.
        case untrusted
        /// This machine's file system.
        case io
    }

    package let code: Code
    /// The registry, repository, digest or file that the trouble is with.
    package let subject: String
    package let message: String

    package init(_ code: Code, _ subject: String, _ message: String) {
        (self.code, self.subject, self.message) = (code, subject, message)
    }

    package var description: String { "\(subject): \(message)" }
}
