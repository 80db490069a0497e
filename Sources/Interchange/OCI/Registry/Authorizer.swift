import Foundation
import NIOHTTP1

/// What a request does to a repository; tokens are asked for, and kept, by it.
enum Access: String, Hashable, Sendable {
    case pull
    case push = "pull,push"
}

/// Answers a registry's challenges, and remembers what was accepted.
///
/// Credentials go to the registry's own origin, or to a token service in the same domain, and only where the connection is
/// confidential or the user has asked for plain HTTP.
actor Authorizer {
    private let registry: Origin
    private let name: String
    private let repository: String
    private let source: any CredentialSource
    private let transport: HTTPTransport
    private let allowsPlain: Bool
    private var accepted: [Access: (header: String, until: ContinuousClock.Instant?)] = [:]
    private var basic: String?

    /// - Parameter name: the registry as the user wrote it, which credentials are filed under.
    init(
        registry: Origin, name: String, repository: String, source: any CredentialSource, transport: HTTPTransport,
        allowsPlain: Bool
    ) {
        (self.registry, self.name, self.repository) = (registry, name, repository)
        (self.source, self.transport, self.allowsPlain) = (source, transport, allowsPlain)
    }

    /// What to send along; nil before the first challenge.
    func header(for access: Access, to origin: Origin) -> String? {
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
    ) async throws(AttemptError) -> String {
        if let refused {
            if accepted[access]?.header == refused { accepted[access] = nil }
            if basic == refused { basic = nil }
        }
        if let challenge = challenges.first(where: { $0.scheme == "bearer" }) {
            let token = try await token(challenge, access: access)
            guard token.header != refused else { throw refusal }
            accepted[access] = token
            return token.header
        }
        guard challenges.contains(where: { $0.scheme == "basic" }) else {
            throw .final(.unauthorized, name, "wants an authentication that attune does not know")
        }
        guard case .password(let user, let password)? = try credentials(for: name)?.secret else { throw refusal }
        guard registry.isConfidential || allowsPlain else { throw exposed(registry) }
        let header = Self.basic(user, password)
        guard header != refused else { throw refusal }
        basic = header
        return header
    }

    private var refusal: AttemptError {
        .final(
            .unauthorized, name, "does not accept the credentials for \(repository): log in with `docker login \(name)`"
        )
    }

    private func exposed(_ origin: Origin) -> AttemptError {
        .final(.untrusted, "\(origin)", "credentials are not sent over plain HTTP")
    }

    private func credentials(for name: String) throws(AttemptError) -> Credentials? {
        do throws(OCIError) { return try source.credentials(for: name) } catch { throw .final(error) }
    }

    static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    private func token(
        _ challenge: Challenge, access: Access
    ) async throws(AttemptError) -> (header: String, until: ContinuousClock.Instant?) {
        guard let realm = challenge.parameters["realm"], let url = URL(string: realm), let origin = Origin(url) else {
            throw .final(.malformed, name, "names no token service in its challenge")
        }
        guard origin.isConfidential || (allowsPlain && registry.scheme == "http") else { throw exposed(origin) }
        let credentials = try credentials(for: origin)
        let scope = challenge.parameters["scope"] ?? "repository:\(repository):\(access.rawValue)"
        var query = [URLQueryItem(name: "scope", value: scope)]
        if let service = challenge.parameters["service"] {
            query.append(URLQueryItem(name: "service", value: service))
        }
        let answer = try await transport.send(request(url, query, credentials))
        guard answer.status == 200 else {
            await answer.discard()
            if answer.status == 401 || answer.status == 403 || answer.status == 400 { throw refusal }
            throw RegistryClient.failure(answer, subject: origin.description)
        }
        let data = try await answer.data(limit: 1 << 20)
        guard let document = try? JSONDecoder().decode(TokenDocument.self, from: data),
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
    private func credentials(for service: Origin) throws(AttemptError) -> Credentials? {
        if registry.sharesDomain(with: service) { return try credentials(for: name) }
        if let own = try credentials(for: service.host) { return own }
        guard try credentials(for: name) == nil else {
            throw .final(
                .untrusted, name,
                "sends its credentials to \(service.host); if that is right, run `docker login \(service.host)`")
        }
        return nil
    }

    private func request(_ url: URL, _ query: [URLQueryItem], _ credentials: Credentials?) -> HTTPRequest {
        switch credentials?.secret {
        case .identityToken(let token):
            var form = URLComponents()
            form.queryItems =
                query + [
                    URLQueryItem(name: "grant_type", value: "refresh_token"),
                    URLQueryItem(name: "refresh_token", value: token), URLQueryItem(name: "client_id", value: "attune"),
                ]
            let text = (form.percentEncodedQuery ?? "").replacing("+", with: "%2B")
            return HTTPRequest(
                method: .POST, url: url, headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Data(text.utf8))
        case .password(let user, let password):
            return HTTPRequest(
                method: .GET, url: url.appending(queryItems: query),
                headers: [("Authorization", Self.basic(user, password))])
        case nil:
            return HTTPRequest(method: .GET, url: url.appending(queryItems: query))
        }
    }
}
