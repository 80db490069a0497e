import Foundation

/// Decides whether a request is let in, from its plain parts.
package struct Gate: Sendable {
    package let hosts: HostPolicy
    package let secrets: Secrets
    package let allowsEdits: Bool
    /// Cookies are shared between the ports of a machine; their names are not.
    package let cookiePrefix: String

    package init(hosts: HostPolicy, secrets: Secrets, allowsEdits: Bool, cookiePrefix: String) {
        (self.hosts, self.secrets, self.allowsEdits, self.cookiePrefix) = (hosts, secrets, allowsEdits, cookiePrefix)
    }

    package init(_ options: GalleryOptions) {
        self.init(
            hosts: HostPolicy(host: options.host, names: options.names),
            secrets: Secrets(needsToken: options.needsToken || !options.isLoopback, token: options.token),
            // Cookies do not tell ports apart.
            allowsEdits: options.allowsEdits, cookiePrefix: "attune_\(options.port)")
    }

    package struct Request: Sendable {
        package var isChange: Bool
        package var host: String?
        package var origin: String?
        /// `Sec-Fetch-Site`, as browsers send it.
        package var site: String?
        package var cookies: [String: String]
        /// The token of the address or of `Authorization: Bearer`.
        package var token: String?

        package init(
            isChange: Bool, host: String?, origin: String?, site: String?, cookies: [String: String], token: String?
        ) {
            (self.isChange, self.host, self.origin, self.site) = (isChange, host, origin, site)
            (self.cookies, self.token) = (cookies, token)
        }
    }

    package enum Verdict: Equatable {
        /// Let in: the session, and whether its cookie must be set.
        case admitted(session: String, isNew: Bool)
        /// The address carries the token: it moves into a cookie.
        case welcomed
        case refused(status: Int, reason: String)
    }

    private var sessionCookie: String { "\(cookiePrefix)_session" }
    private var tokenCookie: String { "\(cookiePrefix)_token" }

    package func judge(_ request: Request) -> Verdict {
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
    package func isGenuine(_ csrf: String?, session: String) -> Bool {
        csrf.map { Secrets.areSame($0, secrets.csrf(of: session)) } ?? false
    }

    package func sessionHeader(_ session: String) -> String { Cookies.strict(sessionCookie, session) }

    package var tokenHeader: String? { secrets.token.map { Cookies.strict(tokenCookie, $0) } }
}
