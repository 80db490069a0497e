/// Where an answer's Location may lead: the one place that decides it, for redirects, uploads and token services.
///
/// - Once a request goes over TLS, nothing that follows from it goes over plain HTTP, to this machine neither.
/// - Plain HTTP leads to this machine, or anywhere when the user has asked for it.
/// - A registry behind a proxy that ends TLS often takes itself for plain HTTP: where a Location differs in the scheme
///   alone, TLS is kept.
/// - Credentials are bound to an origin (``Authorizer``): they go nowhere else, wherever a Location leads.
struct LocationRule: Sendable {
    /// Who is named in errors.
    let registry: String
    /// Whether the user has asked for plain HTTP.
    let allowsPlain: Bool

    /// What the registry wants done elsewhere, for errors.
    enum Purpose: String, Sendable {
        case redirect = "redirects"
        case upload = "sends the upload"
    }

    /// - Returns: nil where the answer has no Location.
    func next(_ answer: HTTPAnswer, _ purpose: Purpose) throws(AttemptError) -> HTTPAddress? {
        guard let text = answer.headers.first("Location"), !text.isEmpty else { return nil }
        guard let address = answer.address.resolving(text) else {
            throw .final(.malformed, registry, "\(purpose.rawValue) to something that is not an http address")
        }
        let from = answer.address.origin
        if let kept = Self.keepingTLS(address, from: from) { return kept }
        guard allows(address.origin, from: from) else {
            throw .final(
                .untrusted, registry,
                from.scheme == .https
                    ? "\(purpose.rawValue) from TLS to plain HTTP at \(address.origin), and nothing was sent there: "
                        + "its proxy must pass X-Forwarded-Proto on"
                    : "\(purpose.rawValue) from this machine to plain HTTP at \(address.origin), and nothing was sent "
                        + "there: use --plain-http only if you trust the network")
        }
        return address
    }

    /// Whether something may follow at `target` from what was sent to `from`.
    func allows(_ target: HTTPOrigin, from: HTTPOrigin) -> Bool {
        target.scheme == .https || (from.scheme == .http && (target.isLoopback || allowsPlain))
    }

    private static func keepingTLS(_ address: HTTPAddress, from: HTTPOrigin) -> HTTPAddress? {
        let target = address.origin
        guard from.scheme == .https, target.scheme == .http, target.host == from.host else { return nil }
        let isSamePort = target.port == from.port || (target.port == 80 && from.port == 443)
        return isSamePort ? HTTPAddress(from, target: address.target) : nil
    }
}
