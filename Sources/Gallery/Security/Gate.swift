import Foundation

/// Decides whether a request is let in, from its plain parts.
struct Gate: Sendable {
    let hosts: HostPolicy
    let secrets: Secrets
    let allowsEdits: Bool
    /// Cookies are shared between the ports of a machine; their names are not.
    let cookiePrefix: String

    struct Request: Sendable {
        var isChange: Bool
        var host: String?
        var origin: String?
        /// `Sec-Fetch-Site`, as browsers send it.
        var site: String?
        var cookies: [String: String]
        /// The token of the address or of `Authorization: Bearer`.
        var token: String?
    }

    enum Verdict: Equatable {
        /// Let in: the session, and whether its cookie must be set.
        case admitted(session: String, isNew: Bool)
        /// The address carries the token: it moves into a cookie.
        case welcomed
        case refused(status: Int, reason: String)
    }

    private var sessionCookie: String { "\(cookiePrefix)_session" }
    private var tokenCookie: String { "\(cookiePrefix)_token" }

    func judge(_ request: Request) -> Verdict {
        guard hosts.allows(request.host) else {
            return .refused(
                status: 421,
                reason:
                    "this server is not called '\(request.host ?? "")'; open it by the address that it printed, or start "
                    + "it with --allow-host NAME")
        }
        if let token = secrets.token {
            if let given = request.token, !request.isChange {
                guard Secrets.areSame(given, token) else { return Self.tokenMissing }
                return .welcomed
            }
            let carried = request.token ?? request.cookies[tokenCookie]
            guard let carried, Secrets.areSame(carried, token) else { return Self.tokenMissing }
        }
        if request.isChange {
            guard allowsEdits else {
                return .refused(
                    status: 403, reason: "this gallery is read-only; start it with --allow-edits to make changes")
            }
            let isForeign = request.site.map { $0 != "same-origin" && $0 != "none" } ?? false
            guard !isForeign, isOwn(request.origin, host: request.host) else {
                return .refused(status: 403, reason: "the change was asked for by another site")
            }
        }
        if let session = request.cookies[sessionCookie], session.count == 32, session.allSatisfy(\.isHexDigit) {
            return .admitted(session: session, isNew: false)
        }
        return .admitted(session: secrets.newSession(), isNew: true)
    }

    private static let tokenMissing = Verdict.refused(
        status: 401, reason: "open the address with the token that `attune serve` printed")

    /// Whether a page of this server asks; programs send no origin.
    private func isOwn(_ origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        guard let host, let url = URL(string: origin), let name = url.host() else { return false }
        let port = url.port.map { ":\($0)" } ?? ""
        let shown = name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name
        return "\(shown)\(port)".lowercased() == host.lowercased()
    }

    /// Whether a change carries the secret of its session's pages.
    func isGenuine(_ csrf: String?, session: String) -> Bool {
        csrf.map { Secrets.areSame($0, secrets.csrf(of: session)) } ?? false
    }

    func sessionHeader(_ session: String) -> String { Cookies.strict(sessionCookie, session) }

    var tokenHeader: String? { secrets.token.map { Cookies.strict(tokenCookie, $0) } }
}
