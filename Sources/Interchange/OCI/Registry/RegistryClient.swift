import Foundation
import NIOHTTP1

/// Requests to one repository of a registry: authentication and redirects, one attempt at a time.
///
/// Follows OCI's distribution specification 1.1.
package struct RegistryClient: Sendable {
    let reference: RegistryReference
    let transport: HTTPTransport
    let retry: RetryPolicy
    private let base: URL
    private let origin: Origin
    private let authorizer: Authorizer
    private let allowsPlain: Bool

    /// - Parameter plainHTTP: whether the user has asked to talk without TLS; a registry on this machine is asked what
    ///   it speaks.
    package init(
        _ reference: RegistryReference, transport: HTTPTransport, credentials: any CredentialSource,
        plainHTTP: Bool = false, retry: RetryPolicy = RetryPolicy()
    ) async throws(OCIError) {
        var isPlain = plainHTTP
        if !isPlain, Origin.isLoopback(reference.host) { isPlain = await Self.speaksPlainHTTP(reference, transport) }
        guard
            let base = URL(string: "\(isPlain ? "http" : "https")://\(reference.registry)/v2/\(reference.repository)/"),
            let origin = Origin(base)
        else { throw OCIError(.badReference, reference.description, "is not the address of a registry") }
        (self.reference, self.transport, self.retry) = (reference, transport, retry)
        (self.base, self.origin, allowsPlain) = (base, origin, plainHTTP)
        authorizer = Authorizer(
            registry: origin, name: reference.registry, repository: reference.repository, source: credentials,
            transport: transport, allowsPlain: plainHTTP)
    }

    /// What a registry on this machine speaks. Servers of TLS answer plain HTTP at once; not all do so the other way round.
    private static func speaksPlainHTTP(_ reference: RegistryReference, _ transport: HTTPTransport) async -> Bool {
        guard let url = URL(string: "http://\(reference.registry)/v2/") else { return false }
        do throws(AttemptError) {
            let answer = try await transport.send(HTTPRequest(method: .GET, url: url))
            await answer.discard()
            return answer.status != 400
        } catch {
            return false
        }
    }

    /// An address below the repository, such as `blobs/sha256:…`.
    func url(_ path: String) -> URL { base.appending(path: path) }

    /// Sends one request, answers its challenge and follows its redirects.
    ///
    /// - Returns: any answer that is neither a redirect, a challenge nor a call to come back later.
    func send(_ request: HTTPRequest, access: Access) async throws(AttemptError) -> HTTPAnswer {
        var request = request
        var isAnswered = false
        for _ in 0..<8 {
            guard let target = Origin(request.url) else {
                throw .final(.malformed, reference.registry, "redirects to \(request.url.withoutQuery)")
            }
            var attempt = request
            let authorization = await authorizer.header(for: access, to: target)
            if let authorization { attempt.headers.append(("Authorization", authorization)) }
            let answer = try await transport.send(attempt)
            switch answer.status {
            case 401 where target == origin && !isAnswered:
                await answer.discard()
                let challenges = answer.headers["WWW-Authenticate"].flatMap { Challenge.parse($0) }
                _ = try await authorizer.answer(challenges, access: access, refused: authorization)
                isAnswered = true
            case 301, 302, 303, 307, 308:
                await answer.discard()
                request = try redirected(request, answer)
            case 401, 403, 408, 429, 500...599:
                throw await Self.explained(answer, subject: reference.registry)
            default:
                return answer
            }
        }
        throw .final(.malformed, reference.registry, "redirects without end")
    }

    /// Where a redirect leads; credentials do not follow it to another origin, and TLS is not given up on the way.
    private func redirected(_ request: HTTPRequest, _ answer: HTTPAnswer) throws(AttemptError) -> HTTPRequest {
        guard let url = location(answer), let target = Origin(url) else {
            throw .final(.malformed, reference.registry, "redirects to nowhere")
        }
        guard target.isConfidential || origin.scheme == "http" else {
            throw .final(.untrusted, reference.registry, "redirects from TLS to plain HTTP at \(target)")
        }
        var next = request
        next.url = url
        if answer.status == 303 { (next.method, next.body) = (.GET, nil) }
        return next
    }

    /// The address in a Location header, which may be relative; its query is kept as it is.
    func location(_ answer: HTTPAnswer) -> URL? {
        guard let text = answer.headers.first(name: "Location") else { return nil }
        return URL(string: text, relativeTo: answer.url)?.absoluteURL
    }

    /// What an answer's status says.
    static func failure(_ answer: HTTPAnswer, subject: String, detail: String = "") -> AttemptError {
        let tail = detail.isEmpty ? "" : " (\(detail))"
        switch answer.status {
        case 401, 403:
            return .final(
                .unauthorized, subject, "refuses access\(tail): `docker login \(subject)`, or ask for permission")
        case 404:
            return .final(.notFound, subject, "has no such thing\(tail)")
        case 408, 429, 500...599:
            let after = answer.headers.first(name: "Retry-After").flatMap { Int($0) }.map {
                Duration.seconds(max($0, 0))
            }
            return .again(subject, "answers \(answer.status)\(tail), again and again: try later", after: after)
        default:
            return .final(.malformed, subject, "answers \(answer.status)\(tail)")
        }
    }

    /// ``failure(_:subject:detail:)`` with the registry's own words.
    static func explained(_ answer: HTTPAnswer, subject: String) async -> AttemptError {
        struct Document: Decodable {
            struct Entry: Decodable {
                var code, message: String?
            }
            var errors: [Entry]
        }
        let data = (try? await answer.data(limit: 1 << 16)) ?? Data()
        let entry = (try? JSONDecoder().decode(Document.self, from: data))?.errors.first
        let words = (entry?.message ?? entry?.code ?? "").filter { !$0.isNewline }.prefix(200)
        return failure(answer, subject: subject, detail: String(words))
    }
}
