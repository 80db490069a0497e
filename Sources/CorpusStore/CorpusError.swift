public import Foundation

/// What went wrong with a corpus: what, where, and what to do about it, in one line.
public struct CorpusError: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// The kinds of trouble, for callers that act on them.
    public enum Code: Sendable, Equatable {
        case notACorpus
        case alreadyExists
        case newerFormat
        case damaged
        case notFound
        case badQuery
        case io
    }

    /// The kind of trouble.
    public let code: Code
    /// The file, name or object that the trouble is in.
    public let subject: String
    /// What is wrong, and what to do where that is not obvious.
    public let message: String

    package init(_ code: Code, _ subject: String, _ message: String) {
        (self.code, self.subject, self.message) = (code, subject, message)
    }

    /// Subject and message in one line.
    public var description: String { "\(subject): \(message)" }
    /// The same as ``description``.
    public var errorDescription: String? { description }
}

extension CorpusError {
    /// Whether a file of the corpus is at fault, and the rest can be used: it is damaged, gone, or may not be read.
    var isOfOneFile: Bool { code == .damaged || code == .notFound || code == .io }
}
