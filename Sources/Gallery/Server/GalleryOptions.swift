package import Foundation

/// How a corpus is served.
package struct GalleryOptions: Sendable {
    package var corpus: URL
    /// The address that is listened on.
    package var host: String
    /// 0 lets the system choose one.
    package var port: Int
    /// Whether marks, tags, votes and selections may be made.
    package var allowsEdits: Bool
    /// Whether every request must carry the token even on this machine's own address.
    package var needsToken: Bool
    /// What the token is; nil makes one.
    package var token: String?
    /// Names by which browsers may call this machine, besides those that it has.
    package var names: [String]
    /// Seconds that the answer to one question to the catalogue may take.
    package var querySeconds: Double
    /// Folders of images that are compared without being in the corpus.
    package var folders: [NamedFolder]

    package init(
        corpus: URL, host: String = "127.0.0.1", port: Int = 7878, allowsEdits: Bool = false, needsToken: Bool = false,
        token: String? = nil, names: [String] = [], querySeconds: Double = 5,
        folders: [NamedFolder] = []
    ) {
        (self.corpus, self.host, self.port) = (corpus, host, port)
        (self.allowsEdits, self.needsToken, self.token) = (allowsEdits, needsToken, token)
        (self.names, self.querySeconds, self.folders) = (names, querySeconds, folders)
    }

    /// Whether only this machine can reach the address.
    var isLoopback: Bool { HostPolicy.isLoopback(host) }
}

/// Why the gallery cannot be served: what, where, what to do, in one line.
package struct GalleryError: Error, CustomStringConvertible, Sendable {
    package let description: String

    init(_ description: String) { self.description = description }
}
