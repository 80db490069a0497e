import Foundation

/// Scheme, host and port: what credentials are bound to.
struct Origin: Hashable, Sendable, CustomStringConvertible {
    let scheme: String
    let host: String
    let port: Int

    init?(_ url: URL) {
        guard let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = url.host(percentEncoded: false)?.lowercased(), !host.isEmpty
        else { return nil }
        self.scheme = scheme
        self.host = host
        port = url.port ?? (scheme == "https" ? 443 : 80)
    }

    var isLoopback: Bool { Self.isLoopback(host) }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.wholeMatch(of: /127\.\d{1,3}\.\d{1,3}\.\d{1,3}/) != nil
    }

    /// Whether what is written to it stays between the two ends, or on this machine.
    var isConfidential: Bool { scheme == "https" || isLoopback }

    /// Whether both hosts lie in one domain that is more than a top-level name, as registry.example.org and
    /// auth.example.org do.
    func sharesDomain(with other: Origin) -> Bool {
        if host == other.host { return true }
        func domain(_ host: String) -> [Substring] { host.split(separator: ".").suffix(2) }
        let isName = host.contains { $0.isLetter } && !host.contains(":")
        return isName && domain(host).count == 2 && domain(host) == domain(other.host)
    }

    var description: String { "\(host):\(port)" }
}

extension URL {
    /// The address without its query, which can carry tokens and upload state: fit for messages and logs.
    var withoutQuery: String { absoluteString.prefix { $0 != "?" && $0 != "#" }.description }
}
