import AsyncHTTPClient
package import Foundation
package import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// One request, as it goes over the wire.
struct HTTPRequest: Sendable {
    var method: HTTPMethod
    var url: URL
    var headers: [(name: String, value: String)] = []
    var body: Data?
}

/// One answer: its head, and a body that is read as it comes.
struct HTTPAnswer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: HTTPClientResponse.Body
    let url: URL

    /// Reads a body that must be small.
    func data(limit: Int) async throws(AttemptError) -> Data {
        do {
            return Data(try await body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .final(.malformed, url.withoutQuery, "the answer is larger than \(limit) bytes")
        } catch {
            throw .again(url.withoutQuery, "the connection broke (\(HTTPTransport.reason(error)))")
        }
    }

    /// Takes in a body that nobody needs, so that the connection can be used again.
    func discard() async {
        _ = try? await body.collect(upTo: 1 << 16)
    }
}

/// HTTP/1.1 and TLS by AsyncHTTPClient. Redirects are left to the caller, who knows what credentials may go where.
package final class HTTPTransport: Sendable {
    private let client: HTTPClient
    private let log: Logger

    /// - Parameters:
    ///   - idle: how long a silent connection is waited for.
    ///   - certificates: a PEM file of further authorities to trust.
    package init(idle: Duration = .seconds(60), certificates: URL? = nil, log: Logger = .attune) throws(OCIError) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // Tried again by our own policy, which tells passing trouble from a certificate that is not trusted.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout = .init(connect: .seconds(15), read: .init(idle), write: .init(idle))
        if let certificates {
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(certificates.path))]
            } catch {
                throw OCIError(.io, certificates.path, "is not a file of PEM certificates")
            }
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.log = log
    }

    /// Closes the connections; nothing may be sent afterwards.
    package func close() async {
        try? await client.shutdown()
    }

    func send(_ request: HTTPRequest) async throws(AttemptError) -> HTTPAnswer {
        var message = HTTPClientRequest(url: request.url.absoluteString)
        message.method = request.method
        message.headers.add(name: "User-Agent", value: "attune")
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        if let body = request.body { message.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            let response = try await client.execute(message, timeout: .hours(1))
            log.debug("\(request.method) \(request.url.withoutQuery) \(response.status.code)")
            return HTTPAnswer(
                status: Int(response.status.code), headers: response.headers, body: response.body, url: request.url)
        } catch {
            let reason = Self.reason(error)
            log.debug("\(request.method) \(request.url.withoutQuery) failed: \(reason)")
            let host = request.url.host() ?? request.url.withoutQuery
            guard !Self.isFinal(error) else { throw .final(.unavailable, host, reason) }
            throw .again(host, reason)
        }
    }

    /// Trouble that trying again does not mend.
    private static func isFinal(_ error: any Error) -> Bool {
        if error is CancellationError { return true }
        let text = "\(error)"
        return text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("WRONG_VERSION_NUMBER")
            || text.contains("unableToValidateCertificate")
    }

    /// In words; errors of the library name addresses only, never headers.
    static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
            return "its TLS certificate is not trusted: name its authority with --ca-file"
        }
        if text.contains("WRONG_VERSION_NUMBER") {
            return "does not speak TLS: use --plain-http only if you trust the network"
        }
        guard let known = error as? HTTPClientError else {
            return "cannot be reached (\(text.prefix(200)))"
        }
        switch known {
        case .readTimeout, .writeTimeout, .deadlineExceeded: return "answers too slowly"
        case .connectTimeout, .getConnectionFromPoolTimeout: return "cannot be reached in time"
        case .remoteConnectionClosed: return "closed the connection"
        case .cancelled: return "the request was stopped"
        default: return "cannot be reached: \(text)"
        }
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension Logger {
    /// Silent unless asked: ATTUNE_LOG=debug shows requests, without headers or queries.
    package static var attune: Logger {
        var log = Logger(label: "attune.oci") { StreamLogHandler.standardError(label: $0) }
        let level = ProcessInfo.processInfo.environment["ATTUNE_LOG"].flatMap { Logger.Level(rawValue: $0) }
        log.logLevel = level ?? .error
        return log
    }
}
