package import Foundation

/// A proxy, and the variable that named it.
struct Proxy: Sendable, CustomStringConvertible {
    /// As libcurl takes it: scheme, host and port, no credentials.
    let address: String
    let name: String
    let user: String?
    let password: String?
    let variable: String

    /// For people; without credentials.
    var description: String { "proxy \(name)" }
}

/// Which proxy a request goes through: HTTPS_PROXY for https, HTTP_PROXY for http, ALL_PROXY for both, in capitals or not,
/// and NO_PROXY, which lists what is reached directly. A registry on this machine always is.
package struct ProxySettings: Sendable {
    private let environment: [String: String]
    private let exceptions: ProxyExceptions

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.environment = environment
        exceptions = ProxyExceptions(Self.value("NO_PROXY", environment)?.value ?? "")
    }

    /// The variable in capitals, or else in small letters; an empty one counts as not set.
    private static func value(_ name: String, _ environment: [String: String]) -> (name: String, value: String)? {
        for name in [name, name.lowercased()] {
            if let value = environment[name]?.trimmingCharacters(in: .whitespaces), !value.isEmpty {
                return (name, value)
            }
        }
        return nil
    }

    private func setting(for scheme: HTTPOrigin.Scheme) -> (name: String, value: String)? {
        Self.value(scheme == .https ? "HTTPS_PROXY" : "HTTP_PROXY", environment) ?? Self.value("ALL_PROXY", environment)
    }

    /// - Throws: when the variable that counts does not hold a proxy's address.
    func proxy(for origin: HTTPOrigin) throws(AttemptError) -> Proxy? {
        guard !origin.isLoopback, !exceptions.contain(origin), let setting = setting(for: origin.scheme) else {
            return nil
        }
        guard let proxy = Proxy(setting.value, variable: setting.name) else {
            // The value may hold a password.
            throw .final(
                .badReference, setting.name,
                "does not hold a proxy's address: expected http://[user:password@]host:port")
        }
        return proxy
    }

    /// The proxy for an address, as libcurl takes it; nil where the address is reached directly.
    package func address(for text: String) throws(OCIError) -> String? {
        guard let address = HTTPAddress(text) else { return nil }
        do throws(AttemptError) { return try proxy(for: address.origin)?.address } catch { throw error.error }
    }

    /// What `doctor` shows: the variables that are set and what they name, without credentials.
    package var summary: [(variable: String, meaning: String)] {
        var all: [(String, String)] = []
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
            guard let setting = Self.value(name, environment) else { continue }
            let proxy = Proxy(setting.value, variable: setting.name)
            all.append((setting.name, proxy?.name ?? "not a proxy's address"))
        }
        if !all.isEmpty, let setting = Self.value("NO_PROXY", environment) { all.append(setting) }
        return all
    }
}

extension Proxy {
    /// - Parameter text: `[scheme://][user[:password]@]host[:port]`, user and password percent-encoded where needed.
    fileprivate init?(_ text: String, variable: String) {
        var (scheme, rest) = ("http", Substring(text))
        if let mark = text.range(of: "://") {
            scheme = text[..<mark.lowerBound].lowercased()
            rest = text[mark.upperBound...]
        }
        // As curl and Go do: without a port, that of the scheme; names are always looked up by a SOCKS proxy.
        let kinds = ["http": 80, "https": 443, "socks5": 1080, "socks5h": 1080]
        guard let standardPort = kinds[scheme] else { return nil }
        rest = rest.prefix { !"/?#".contains($0) }
        var (user, password): (String?, String?) = (nil, nil)
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = parts.first.map { $0.removingPercentEncoding ?? String($0) }
            password = parts.dropFirst().first.map { $0.removingPercentEncoding ?? String($0) }
            rest = rest[rest.index(after: at)...]
        }
        guard let origin = HTTPOrigin(.http, authority: rest) else { return nil }
        let hasPort =
            rest.last != "]" && rest.drop { $0 != "]" }.contains(":") || (rest.first != "[" && rest.contains(":"))
        let host = origin.host.contains(":") ? "[\(origin.host)]" : origin.host
        name = "\(host):\(hasPort ? origin.port : standardPort)"
        address = "\(scheme == "socks5" ? "socks5h" : scheme)://\(name)"
        (self.user, self.password, self.variable) = (user, password, variable)
    }
}
