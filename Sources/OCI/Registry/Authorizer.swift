import Foundation

/// What a request does to a repository; tokens are asked for, and kept, by it.
enum Access: String, Hashable, Sendable {
    case pull
    case push = "pull,push"
}

/// Answers a registry's challenges, and remembers what was accepted.
///
/// Credentials go to the registry's own origin, or to a token service in the same domain, and only where ``LocationRule``
/// lets anything go.
actor Authorizer {
    private let registry: HTTPOrigin
    private let reference: RegistryReference
    private let source: any CredentialSource
    private let transport: HTTPTransport
    private let rule: LocationRule
    private var accepted: [Access: (header: String, until: ContinuousClock.Instant?)] = [:]
    private var basic: String?
    /// What the source knew; nil before it was asked.
    private var own: Credentials??

    /// - Parameter reference: its registry's name is what credentials are filed under.
    init(
        registry: HTTPOrigin, reference: RegistryReference, source: any CredentialSource, transport: HTTPTransport,
        rule: LocationRule
    ) {
        (self.registry, self.reference, self.source) = (registry, reference, source)
        (self.transport, self.rule) = (transport, rule)
    }

    private var name: String { reference.registry }

    /// What to send along; nil before the first challenge.
    func header(for access: Access, to origin: HTTPOrigin) -> String? {
        guard origin == registry else { return nil }
        if let token = accepted[access] {
            if let until = token.until, until < .now { accepted[access] = nil } else { return token.header }
        }
        return basic
    }

    /// Finds an answer to a 401.
    ///
    /// - Parameter refused: what was sent and not accepted.
    func answer(
        _ challenges: [Challenge], access: Access, refused: String?
    ) async throws(AttemptError) {
        if let refused {
            if accepted[access]?.header == refused { accepted[access] = nil }
            if basic == refused { basic = nil }
        }
        if let challenge = challenges.first(where: { $0.scheme == "bearer" }) {
            let token = try await token(challenge, access: access)
            guard token.header != refused else { throw refusal() }
            accepted[access] = token
            return
        }
        guard challenges.contains(where: { $0.scheme == "basic" }) else {
            let offered = challenges.map(\.scheme).joined(separator: ", ")
            throw .final(
                .unauthorized, name,
                "wants an authentication that attune does not know" + (offered.isEmpty ? "" : " (\(offered))"))
        }
        guard case .password(let user, let password)? = try ownCredentials()?.secret else { throw refusal() }
        guard rule.allows(registry, from: registry) else { throw exposed(registry) }
        let header = Self.basic(user, password)
        guard header != refused else { throw refusal() }
        basic = header
    }

    /// Why access is refused in the end: with which credentials, or for want of any.
    ///
    /// - Parameter words: the registry's own.
    func refusal(_ words: String = "", status: Int = 401) -> AttemptError {
        let (tail, repository) = (words.isEmpty ? "" : " (\(words))", reference.repository)
        guard let own else {
            return .final(
                .unauthorized, name,
                "refuses access to \(repository)\(tail): `docker login \(name)`, or ask for permission")
        }
        guard let own else {
            let places = source.places
            let looked = places.isEmpty ? "" : " (looked in \(places.joined(separator: ", ")))"
            return .final(
                .unauthorized, name,
                "no credentials found\(looked), and \(repository) wants a login\(tail): run `docker login \(name)` "
                    + "or `podman login \(name)`")
        }
        if status == 403 {
            return .final(
                .unauthorized, name,
                "refuses access to \(repository)\(tail) with the credentials from \(own.source): ask for permission, or "
                    + "`docker login \(name)` as another user")
        }
        return .final(
            .unauthorized, name,
            "refused the credentials from \(own.source) for \(repository)\(tail): log in again with `docker login \(name)`"
        )
    }

    private func exposed(_ origin: HTTPOrigin) -> AttemptError {
        .final(.untrusted, "\(origin)", "credentials are not sent over plain HTTP")
    }

    private func ownCredentials() throws(AttemptError) -> Credentials? {
        if let own { return own }
        let found = try credentials(for: name, repository: reference.repository)
        own = .some(found)
        return found
    }

    private func credentials(for name: String, repository: String) throws(AttemptError) -> Credentials? {
        do throws(OCIError) { return try source.credentials(for: name, repository: repository) } catch {
            throw .final(error)
        }
    }

    static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    private func token(
        _ challenge: Challenge, access: Access
    ) async throws(AttemptError) -> (header: String, until: ContinuousClock.Instant?) {
        guard let realm = challenge.parameters["realm"], let address = HTTPAddress(realm) else {
            throw .final(.malformed, name, "names no token service in its challenge")
        }
        let origin = address.origin
        guard rule.allows(origin, from: registry) else { throw exposed(origin) }
        let credentials = try credentials(for: origin)
        let scope = challenge.parameters["scope"] ?? "repository:\(reference.repository):\(access.rawValue)"
        var query = [("scope", scope)]
        if let service = challenge.parameters["service"] { query.append(("service", service)) }
        var request = request(address, query, credentials)
        request.limit = 1 << 20
        let answer = try await transport.send(request)
        guard answer.status == 200 else {
            let words = RegistryClient.words(answer)
            if [400, 401, 403].contains(answer.status) { throw refusal(words) }
            throw RegistryClient.failure(answer, subject: origin.description)
        }
        guard let document = try? JSONDecoder().decode(TokenDocument.self, from: answer.data),
            let token = document.token ?? document.access_token, !token.isEmpty,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .final(.malformed, origin.description, "its token service did not answer with a token") }
        // Half of its life is a safe time to use it for.
        let life = Duration.seconds(max(document.expires_in ?? 60, 1)) / 2
        return ("Bearer " + token, .now + life)
    }

    private struct TokenDocument: Decodable {
        var token: String?
        var access_token: String?
        var expires_in: Int?
    }

    /// The registry's credentials where its token service is near it; elsewhere those filed under that host's own name.
    private func credentials(for service: HTTPOrigin) throws(AttemptError) -> Credentials? {
        let own = try ownCredentials()
        if registry.sharesDomain(with: service) { return own }
        if let theirs = try credentials(for: service.host, repository: "") { return theirs }
        guard own == nil else {
            throw .final(
                .untrusted, name,
                "sends its credentials to \(service.host); if that is right, run `docker login \(service.host)`")
        }
        return nil
    }

    private func request(
        _ address: HTTPAddress, _ query: [(String, String)], _ credentials: Credentials?
    ) -> HTTPRequest {
        switch credentials?.secret {
        case .identityToken(let token):
            let form = query + [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "attune")]
            let text = form.map { "\($0.0)=\(HTTPAddress.escaped($0.1))" }.joined(separator: "&")
            return HTTPRequest(
                method: .POST, address: address, headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: .data(Data(text.utf8)))
        case .password(let user, let password):
            return HTTPRequest(
                method: .GET, address: address.appending(query),
                headers: [("Authorization", Self.basic(user, password))])
        case nil:
            return HTTPRequest(method: .GET, address: address.appending(query))
        }
    }
}

extension HTTPAddress {
    fileprivate func appending(_ items: [(String, String)]) -> HTTPAddress {
        items.reduce(self) { $0.appending($1.0, $1.1) }
    }
}
