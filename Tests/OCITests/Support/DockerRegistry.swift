import Foundation
import TestSupport
import Testing

/// Debian's docker-registry on a free port of this machine, with htpasswd and, when asked, TLS.
final class DockerRegistry {
    static let user = "tester"
    static let password = "s3cret-pass"

    static var isInstalled: Bool { Programs.missing("docker-registry", "htpasswd", "skopeo").isEmpty }
    static let comment: Comment = "docker-registry, htpasswd and skopeo are needed: Scripts/setup.sh sharing"

    let host: String
    let folder: Scratch
    private let process = Process()

    init(tls: (certificate: URL, key: URL)? = nil) async throws {
        folder = try Scratch()
        let port = try Self.freePort()
        host = "localhost:\(port)"
        let program = try #require(Programs.find("docker-registry"))
        let passwords = folder.url("htpasswd")
        let made = try Programs.run(
            try #require(Programs.find("htpasswd")), ["-Bbn", "-C", "4", Self.user, Self.password])
        try Data(made.output.utf8).write(to: passwords)
        let security = tls.map { "\n  tls:\n    certificate: \($0.certificate.path)\n    key: \($0.key.path)" } ?? ""
        let configuration = """
            version: 0.1
            log:
              level: error
            storage:
              filesystem:
                rootdirectory: \(folder.url("data").path)
            auth:
              htpasswd:
                realm: tests
                path: \(passwords.path)
            http:
              addr: 127.0.0.1:\(port)\(security)
            """
        try Data(configuration.utf8).write(to: folder.url("config.yml"))
        process.executableURL = program
        process.arguments = ["serve", folder.url("config.yml").path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        for _ in 0..<200 {
            if Self.canConnect(port) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("docker-registry does not start")
    }

    deinit { process.terminate() }

    /// A docker configuration folder with the credentials of `docker login`.
    func login(password: String = DockerRegistry.password) throws -> [String: String] {
        let folder = folder.url("docker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let auth = Data("\(Self.user):\(password)".utf8).base64EncodedString()
        try Data(#"{"auths":{"\#(host)":{"auth":"\#(auth)"}}}"#.utf8).write(to: folder.appending(path: "config.json"))
        return ["DOCKER_CONFIG": folder.path, "REGISTRY_AUTH_FILE": folder.appending(path: "config.json").path]
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        try #require(result == 0)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func canConnect(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
