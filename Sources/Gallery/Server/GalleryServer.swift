import CorpusStore
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import UnixSignals

/// Serves a corpus to browsers.
///
/// ```swift
/// let server = try GalleryServer(GalleryOptions(corpus: URL(fileURLWithPath: "corpus")))
/// try await server.run { address in print(address.url) }
/// ```
package struct GalleryServer: Sendable {
    private let options: GalleryOptions
    private let data: GalleryData
    private let gate: Gate
    private let work = Work()

    /// - Throws: where the corpus cannot be opened, or not be written to though edits are allowed.
    package init(_ options: GalleryOptions) throws {
        HeapMemory.bound()
        self.options = options
        data = try GalleryData(options)
        gate = Gate(options)
    }

    /// What whoever starts the server is told once it listens.
    package struct Address: Sendable {
        /// With the token where one is needed.
        package let url: String
        package let hasToken: Bool
        package let isLoopback: Bool
    }

    /// Serves until the process is asked to end.
    ///
    /// - Parameter ready: called once browsers can connect.
    package func run(_ ready: @escaping @Sendable (Address) -> Void) async throws {
        var logger = Logger(label: "attune-gallery")
        logger.logLevel = .error
        let (options, token, data) = (options, gate.secrets.token, data)
        let application = Application(
            router: Routes.router(data, gate, work),
            server: .http1(configuration: .init(idleTimeout: .seconds(75))),
            configuration: ApplicationConfiguration(
                address: .hostname(HostPolicy.bare(options.host), port: options.port), serverName: nil),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? options.port
                ready(Self.address(options, port: port, token: token))
                // Not awaited: pages are served while the index fills.
                Thread.detachNewThread { data.prepare() }
            },
            logger: logger)
        do {
            try await application.runService(gracefulShutdownSignals: [.sigterm, .sigint])
        } catch let error as IOError {
            throw GalleryError(Self.explained(error, options))
        } catch let error as SocketAddressError.UnknownHost {
            throw GalleryError("--host \(options.host): is no known name (\(error)); give an address of this machine")
        } catch let error as SocketAddressError {
            throw GalleryError(
                "--host \(options.host): is not an address of this machine (\(error)); give one that it has")
        }
    }

    static func address(_ options: GalleryOptions, port: Int, token: String?) -> Address {
        let host = HostPolicy.bare(options.host)
        let shown =
            host == "0.0.0.0" || host == "::"
            ? ProcessInfo.processInfo.hostName : host.contains(":") ? "[\(host)]" : host
        return Address(
            url: "http://\(shown):\(port)/" + (token.map { "?token=\($0)" } ?? ""), hasToken: token != nil,
            isLoopback: options.isLoopback)
    }

    private static func explained(_ error: IOError, _ options: GalleryOptions) -> String {
        switch error.errnoCode {
        case EADDRINUSE: "port \(options.port): is in use by another program; give another with --port"
        case EACCES: "port \(options.port): may not be used by this user; give one above 1023 with --port"
        case EADDRNOTAVAIL: "--host \(options.host): is not an address of this machine; give one that it has"
        default: "\(options.host):\(options.port): cannot be listened on (\(error))"
        }
    }
}

extension GalleryData {
    /// What may take long and need not be done before the first page.
    func prepare() {
        search?.refresh()
        thumbnails.prune()
    }
}
