import CorpusStore
import Foundation

/// What only this server knows.
package struct Secrets: Sendable {
    private let key: [UInt8]
    /// What every request must carry; nil where none is asked for.
    package let token: String?

    /// - Parameters:
    ///   - needsToken: whether every request must carry a token.
    ///   - token: given by whoever starts the server; nil makes one where one is needed.
    package init(needsToken: Bool, token: String?) {
        key = Self.random(32)
        self.token = needsToken ? token ?? Self.hex(Self.random(16)) : nil
    }

    /// A new session's name.
    package func newSession() -> String { Self.hex(Self.random(16)) }

    /// What changes asked for by a session must carry: another site can make a browser send the cookie, and cannot read
    /// this.
    package func csrf(of session: String) -> String { Digest(of: key + Array("csrf \(session) ".utf8) + key).hex }

    /// Whether two secrets are the same, in a time that tells nothing of where they differ.
    package static func areSame(_ first: String, _ second: String) -> Bool {
        let (first, second) = (Digest(of: Array(first.utf8)).raw, Digest(of: Array(second.utf8)).raw)
        return zip(first, second).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
}
