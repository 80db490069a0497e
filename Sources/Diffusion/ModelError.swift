public import Foundation

/// What can be wrong with a model folder or a tensor file: what, where, and what to do about it, in one line.
public struct ModelError: Error, LocalizedError, CustomStringConvertible, Sendable {
    /// The kinds of trouble, for callers that act on them.
    public enum Code: Sendable, Equatable {
        case missingFile
        case malformedFile
        case missingTensor
        case unusedTensor
        case wrongShape
        case unsupported
        case cancelled
        /// A device that failed.
        case device
        /// A device's memory is too small for what was asked of it.
        case outOfMemory
    }

    /// The kind of trouble.
    public let code: Code
    /// The file or folder that the trouble is in.
    public let path: String
    /// What is wrong, and what to do where that is not obvious.
    public let message: String

    package init(_ code: Code, at path: String, _ message: String) {
        (self.code, self.path, self.message) = (code, path, oneLine(message))
    }

    /// Path and message in one line.
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
    /// The same as ``description``.
    public var errorDescription: String? { description }
}

/// A message that quotes names and values of files that others wrote: without line breaks and other control characters, and
/// of a length that can be read.
package func oneLine(_ message: String) -> String {
    let limit = 1500
    var out = String.UnicodeScalarView()
    for scalar in message.unicodeScalars.prefix(limit) {
        let isControl = scalar.properties.generalCategory == .control || ["\u{2028}", "\u{2029}"].contains(scalar)
        out.append(isControl ? " " : scalar)
    }
    return String(out) + (message.unicodeScalars.count > limit ? "…" : "")
}
