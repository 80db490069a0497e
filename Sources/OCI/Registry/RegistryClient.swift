import Foundation

/// Requests to one repository of a registry: authentication and redirects, one attempt at a time.
///
/// Follows OCI's distribution specification 1.1.
package struct RegistryClient: Sendable {
    let reference: RegistryReference
    let transport: HTTPTransport
    let retry: RetryPolicy
    let locations: LocationRule
    private let base: HTTPAddress
    private let authorizer: Authorizer

    /// - Parameters:
    ///   - reference: names the registry and the repository.
    ///   - transport: what requests are sent with.
    ///   - credentials: where a user name and password come from where the registry asks for them.
    ///   - plainHTTP: whether the user has asked to talk without TLS; a registry on this machine is asked what it
    ///     speaks.
    ///   - retry: how often, and after which pauses, a failed request is sent again.
    package init(
        _ reference: RegistryReference, transport: HTTPTransport, credentials: any CredentialSource,
        plainHTTP: Bool = false, retry: RetryPolicy = RetryPolicy()
    ) async throws(OCIError) {
        var scheme = plainHTTP ? HTTPOrigin.Scheme.http : .https
        if !plainHTTP, HTTPOrigin.isLoopback(reference.host), await Self.speaksPlainHTTP(reference, transport) {
            scheme = .http
        }
        guard let origin = HTTPOrigin(scheme, authority: reference.authority) else {
            throw OCIError(.badReference, reference.description, "is not the address of a registry")
        }
        (self.reference, self.transport, self.retry) = (reference, transport, retry)
        base = HTTPAddress(origin, target: "/v2/\(reference.repository)/")
        locations = LocationRule(registry: reference.registry, allowsPlain: plainHTTP)
        authorizer = Authorizer(
            registry: origin, reference: reference, source: credentials, transport: transport, rule: locations)
    }

    /// What a registry on this machine speaks. Servers of TLS answer plain HTTP at once; not all do so the other way round.
    private static func speaksPlainHTTP(_ reference: RegistryReference, _ transport: HTTPTransport) async -> Bool {
        guard let origin = HTTPOrigin(.http, authority: reference.authority) else { return false }
        do throws(AttemptError) {
            let request = HTTPRequest(method: .GET, address: HTTPAddress(origin, target: "/v2/"))
            return try await transport.send(request).status != 400
        } catch {
            return false
        }
    }

    /// An address below the repository, such as `blobs/sha256:…`.
    func address(_ path: String) -> HTTPAddress { HTTPAddress(base.origin, target: base.target + path) }

    /// Sends one request, answers its challenge and follows its redirects.
    ///
    /// - Parameter receiver: gets the body of a successful answer.
    /// - Returns: any answer that is neither a redirect, a challenge nor a call to come back later.
    func send(
        _ request: HTTPRequest, access: Access, to receiver: (any BodyReceiver)? = nil
    ) async throws(AttemptError) -> HTTPAnswer {
        var request = request
        var isAnswered = false
        for _ in 0..<8 {
            var attempt = request
            let authorization = await authorizer.header(for: access, to: request.address.origin)
            if let authorization { attempt.headers.append(("Authorization", authorization)) }
            let answer = try await transport.send(attempt, to: receiver)
            let isOwn = request.address.origin == base.origin
            switch answer.status {
            case 401 where isOwn && !isAnswered:
                let challenges = answer.headers["WWW-Authenticate"].flatMap { Challenge.parse($0) }
                try await authorizer.answer(challenges, access: access, refused: authorization)
                isAnswered = true
            case 401 where isOwn, 403 where isOwn:
                throw await authorizer.refusal(Self.words(answer), status: answer.status)
            case 301, 302, 303, 307, 308:
                request = try redirected(request, answer)
            case 401, 403, 408, 429, 500...599:
                throw Self.failure(answer, subject: isOwn ? reference.registry : request.address.origin.description)
            default:
                return answer
            }
        }
        throw .final(.malformed, reference.registry, "redirects without end")
    }

    /// The same request where a redirect leads.
    private func redirected(_ request: HTTPRequest, _ answer: HTTPAnswer) throws(AttemptError) -> HTTPRequest {
        guard let address = try locations.next(answer, .redirect) else {
            throw .final(.malformed, reference.registry, "redirects to nowhere")
        }
        var next = request
        next.address = address
        if answer.status == 303, request.method != .HEAD { (next.method, next.body) = (.GET, nil) }
        return next
    }

    /// Whether the repository has a blob; one of another size than the descriptor's cannot be the one that is meant.
    func hasBlob(_ blob: Descriptor) async throws(AttemptError) -> Bool {
        let request = HTTPRequest(method: .HEAD, address: address("blobs/\(blob.digest)"))
        let answer = try await send(request, access: .push)
        if answer.status == 404 { return false }
        guard answer.isSuccess else { throw Self.failure(answer, subject: "\(blob.digest)") }
        guard let length = answer.headers.first("Content-Length").flatMap({ Int($0) }), length != blob.size else {
            return true
        }
        // Some proxies take the length of a HEAD's answer away; a blob that is sent once more does no harm.
        if length == 0 { return false }
        throw .final(
            .mismatch, reference.registry, "says that \(blob.digest) has \(length) bytes; it has \(blob.size)")
    }

    /// Compares the digest that an answer states with the right one. Not all registries state one, and some state it by
    /// another algorithm.
    static func check(_ digest: BlobDigest, _ answer: HTTPAnswer, _ wrong: (BlobDigest) -> AttemptError)
        throws(AttemptError)
    {
        guard let stated = answer.headers.first("Docker-Content-Digest").flatMap({ BlobDigest($0) }), stated != digest
        else { return }
        throw wrong(stated)
    }

    /// What an answer's status says, and the registry's own words.
    static func failure(_ answer: HTTPAnswer, subject: String) -> AttemptError {
        let words = words(answer)
        let tail = words.isEmpty ? "" : " (\(words))"
        switch answer.status {
        case 401, 403:
            return .final(
                .unauthorized, subject, "refuses access\(tail): `docker login \(subject)`, or ask for permission")
        case 404:
            return .final(.notFound, subject, "has no such thing\(tail)")
        case 413:
            return .final(
                .malformed, subject,
                "takes no requests of this size (413)\(tail): raise the limit of the proxy before it "
                    + "(client_max_body_size in nginx)")
        case 408, 429, 500...599:
            let after = answer.headers.first("Retry-After").flatMap { Int($0) }.map { Duration.seconds(max($0, 0)) }
            return .again(subject, "answers \(answer.status)\(tail), again and again: try later", after: after)
        default:
            return .final(.malformed, subject, "answers \(answer.status)\(tail)")
        }
    }

    /// The registry's own words about an error.
    static func words(_ answer: HTTPAnswer) -> String {
        struct Document: Decodable {
            struct Entry: Decodable {
                var code, message: String?
            }
            var errors: [Entry]
        }
        let entry = (try? JSONDecoder().decode(Document.self, from: answer.data))?.errors.first
        let words = [entry?.message, entry?.code].compactMap { $0 }.first { !$0.isEmpty } ?? ""
        return String(words.filter { !$0.isNewline }.prefix(200))
    }
}
