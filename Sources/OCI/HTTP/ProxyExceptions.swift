import Foundation

/// NO_PROXY's list: `*`, host names (with everything below them), addresses, networks as `10.0.0.0/8`, each with a port or
/// without, separated by commas or blanks.
struct ProxyExceptions: Sendable {
    private enum Rule: Sendable {
        case everything
        /// The name itself and names that end in it after a dot.
        case name(String, port: Int?)
        case network([UInt8], bits: Int, port: Int?)
    }

    private let rules: [Rule]

    init(_ list: String) {
        rules = list.split { $0 == "," || $0.isWhitespace }.compactMap { Self.rule(String($0)) }
    }

    private static func rule(_ entry: String) -> Rule? {
        if entry == "*" { return .everything }
        if let slash = entry.firstIndex(of: "/"), let bits = Int(entry[entry.index(after: slash)...]),
            let bytes = address(entry[..<slash]), 0...bytes.count * 8 ~= bits
        {
            return .network(bytes, bits: bits, port: nil)
        }
        var (host, port): (String, Int?) = (entry.lowercased(), nil)
        if address(host) == nil, let colon = host.lastIndex(of: ":"),
            let number = Int(host[host.index(after: colon)...])
        {
            (host, port) = (String(host[..<colon]), number)
        }
        if let bytes = address(host) { return .network(bytes, bits: bytes.count * 8, port: port) }
        if host.hasPrefix("*.") { host.removeFirst() }
        let name = host.drop { $0 == "." }.trimmingSuffix(".")
        return name.isEmpty ? nil : .name(name, port: port)
    }

    func contain(_ origin: HTTPOrigin) -> Bool {
        let host = origin.host.trimmingSuffix(".")
        let bytes = Self.address(host)
        return rules.contains { rule in
            switch rule {
            case .everything: true
            case .name(let name, let port):
                (port == nil || port == origin.port) && (host == name || host.hasSuffix("." + name))
            case .network(let network, let bits, let port):
                (port == nil || port == origin.port) && bytes.map { Self.agree($0, network, bits) } == true
            }
        }
    }

    /// An IPv4 or IPv6 address as its bytes, an IPv4 address inside IPv6 as IPv4.
    private static func address(_ text: some StringProtocol) -> [UInt8]? {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, bare, &bytes) == 1 { return Array(bytes.prefix(4)) }
        guard inet_pton(AF_INET6, bare, &bytes) == 1 else { return nil }
        let isMapped = bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static func agree(_ address: [UInt8], _ network: [UInt8], _ bits: Int) -> Bool {
        guard address.count == network.count else { return false }
        return (0..<bits).allSatisfy { bit in
            (address[bit / 8] ^ network[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String {
        last == suffix ? String(dropLast()) : String(self)
    }
}
