import CCurl
import Dispatch
package import Foundation
package import Logging
import Synchronization

/// HTTP/1.1 and TLS by libcurl. Redirects are left to the caller, who knows what credentials may go where.
///
/// Any number of requests may be under way; each has a connection of its own, which later requests use again.
package final class HTTPTransport: Sendable {
    private let settings: TransferSettings
    private let proxies: ProxySettings
    private let log: Logger
    private let queue = DispatchQueue(label: "attune.http", attributes: .concurrent)
    private let idleSessions = Mutex<[CurlSession]>([])

    /// - Parameters:
    ///   - idle: how long a silent connection is waited for.
    ///   - certificates: a PEM file of further authorities to trust.
    ///   - environment: where proxies are named.
    ///   - log: where requests are shown, without headers or queries.
    package init(
        idle: Duration = .seconds(60), certificates: URL? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment, log: Logger = .attune
    ) throws(OCIError) {
        if let problem = cc_load() {
            throw OCIError(
                .io, "libcurl", "\(String(cString: problem)), and registries are reached by it: install libcurl4")
        }
        // A server that closes its end must not end the process.
        signal(SIGPIPE, SIG_IGN)
        let authorities =
            if let certificates {
                try Authorities.with(certificates, environment)
            } else {
                try Authorities.named(environment)
            }
        settings = TransferSettings(
            idle: idle, authorities: authorities, isNamed: certificates != nil)
        proxies = ProxySettings(environment: environment)
        self.log = log
    }

    /// Closes the connections; nothing may be sent afterwards.
    package func close() { idleSessions.withLock { $0 = [] } }

    /// Sends a request and receives its answer.
    ///
    /// - Parameter receiver: gets the body of a successful answer; all others are kept, up to the request's limit.
    func send(_ request: HTTPRequest, to receiver: (any BodyReceiver)? = nil) async throws(AttemptError) -> HTTPAnswer {
        let proxy = try proxies.proxy(for: request.address.origin)
        let stop = StopFlag()
        let result: Result<HTTPAnswer, AttemptError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    continuation.resume(returning: perform(request, receiver, proxy, stop))
                }
            }
        } onCancel: {
            stop.set()
        }
        let what = "\(request.method.rawValue) \(request.address.withoutQuery)"
        let way = proxy.map { " by \($0)" } ?? ""
        switch result {
        case .success(let answer): log.debug("\(what)\(way) \(answer.status)")
        case .failure(let failure): log.debug("\(what)\(way) failed: \(failure.error.message)")
        }
        let answer = try result.get()
        guard answer.status != 407 || proxy == nil else {
            throw TransferFailure.proxyRefusal(proxy, status: 407, target: request.address.origin)
        }
        return answer
    }

    private func perform(
        _ request: HTTPRequest, _ receiver: (any BodyReceiver)?, _ proxy: Proxy?, _ stop: StopFlag
    ) -> Result<HTTPAnswer, AttemptError> {
        guard let session = idleSessions.withLock({ $0.popLast() }) ?? CurlSession() else {
            return .failure(.final(.io, "libcurl", "cannot be started: check the memory"))
        }
        let transfer = CurlTransfer(request, receiver, proxy, settings, stop)
        do throws(AttemptError) {
            let answer = try transfer.run(on: session)
            idleSessions.withLock { $0.append(session) }
            return .success(answer)
        } catch {
            idleSessions.withLock { $0.append(session) }
            return .failure(error)
        }
    }
}

/// What holds for all transfers.
struct TransferSettings: Sendable {
    let idle: Duration
    /// PEM certificates that are trusted instead of libcurl's own list.
    let authorities: Data?
    /// Whether the user has named authorities.
    let isNamed: Bool
}

/// Tells a transfer that nobody waits for it any more.
final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    func set() { flag.store(true, ordering: .relaxed) }
    var isSet: Bool { flag.load(ordering: .relaxed) }
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
