/// Scheme, host and port: what credentials are bound to.
package struct HTTPOrigin: Hashable, Sendable, CustomStringConvertible {
    enum Scheme: String, Sendable {
        case http, https

        var port: Int { self == .https ? 443 : 80 }
    }

    let scheme: Scheme
    /// Lower case, and an IPv6 address without brackets.
    let host: String
    let port: Int

    /// - Parameter authority: `host`, `host:port` or `[address]:port`; a user's name before an `@` is dropped, so that no
    ///   password of an address is ever sent or printed.
    init?(_ scheme: Scheme, authority: some StringProtocol) {
        var rest = authority.split(separator: "@", omittingEmptySubsequences: false).last.map { String($0) } ?? ""
        var host = ""
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            guard host.wholeMatch(of: /[0-9A-Fa-f:.]+/) != nil else { return nil }
            rest = String(rest[rest.index(after: end)...])
        } else {
            host = String(rest.prefix { $0 != ":" })
            guard host.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil else { return nil }
            rest = String(rest.dropFirst(host.count))
        }
        guard rest.isEmpty || rest.first == ":" else { return nil }
        let digits = rest.dropFirst()
        guard let port = digits.isEmpty ? scheme.port : Int(digits), 1...65535 ~= port,
            digits.allSatisfy({ $0.isASCII && $0.isNumber })
        else { return nil }
        (self.scheme, self.host, self.port) = (scheme, host.lowercased(), port)
    }

    init(_ scheme: Scheme, host: String, port: Int) { (self.scheme, self.host, self.port) = (scheme, host, port) }

    /// Host, and port where it is not the scheme's own.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == scheme.port ? name : "\(name):\(port)"
    }

    var isLoopback: Bool { Self.isLoopback(host) }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.wholeMatch(of: /127\.\d{1,3}\.\d{1,3}\.\d{1,3}/) != nil
    }

    /// Whether both hosts lie in one domain that is more than a top-level name, as registry.example.org and
    /// auth.example.org do.
    func sharesDomain(with other: HTTPOrigin) -> Bool {
        if host == other.host { return true }
        func domain(_ host: String) -> [Substring] { host.split(separator: ".").suffix(2) }
        let isName = host.contains { $0.isLetter } && !host.contains(":")
        return isName && domain(host).count == 2 && domain(host) == domain(other.host)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
