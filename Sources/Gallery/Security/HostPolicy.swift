import Foundation

/// By which names browsers may call the server. A page of another site can have its own name point here (DNS rebinding);
/// the browser then sends that name.
package struct HostPolicy: Sendable {
    private let names: Set<String>
    /// Whether any numeric address will do: nobody can point a number elsewhere.
    private let allowsNumbers: Bool

    package init(host: String, names: [String]) {
        var allowed = Set(names.map { $0.lowercased() })
        allowed.insert(Self.bare(host).lowercased())
        if Self.isLoopback(host) {
            allowed.formUnion(["localhost", "127.0.0.1", "::1"])
            allowsNumbers = false
        } else {
            allowed.formUnion(["localhost", ProcessInfo.processInfo.hostName.lowercased()])
            allowsNumbers = true
        }
        self.names = allowed
    }

    /// - Parameter header: what the browser calls the server: a name or number, with or without a port.
    package func allows(_ header: String?) -> Bool {
        guard let header, let name = Self.name(of: header) else { return false }
        return names.contains(name) || (allowsNumbers && Self.isNumber(name))
    }

    package static func isLoopback(_ host: String) -> Bool {
        let host = bare(host)
        return host == "localhost" || host == "::1" || (host.hasPrefix("127.") && isNumber(host))
    }

    /// An address without the brackets of IPv6.
    package static func bare(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    private static func name(of header: String) -> String? {
        let text = header.lowercased()
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return String(text[text.index(after: text.startIndex)..<end])
        }
        guard let colon = text.firstIndex(of: ":") else { return text.isEmpty ? nil : text }
        guard colon > text.startIndex, isPort(text[colon...]) else { return nil }
        return String(text[..<colon])
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && UInt16(text.dropFirst()) != nil
    }

    private static func isNumber(_ name: String) -> Bool {
        var (four, six) = (in_addr(), in6_addr())
        return inet_pton(AF_INET, name, &four) == 1 || inet_pton(AF_INET6, name, &six) == 1
    }
}
