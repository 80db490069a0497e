import Foundation
import OCI
import TestSupport
import Testing

/// A script in Tests/Interop that listens on a port until the test is over.
class ScriptedServer {
    static var isAvailable: Bool { Programs.find("python3") != nil && Programs.find("curl") != nil }

    let port: Int
    private let scheme: String
    private let process = Process()
    private let input = Pipe()

    init(_ script: String, _ arguments: [String], scheme: String = "http") throws {
        let output = Pipe()
        process.executableURL = try #require(Programs.find("python3"))
        process.arguments = [Repository.root.appending(path: "Tests/Interop/\(script)").path] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = output.fileHandleForReading.availableData
        port = try #require(Int(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
        self.scheme = scheme
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.terminate()
    }

    func curl(_ arguments: [String], _ path: String) throws -> String {
        let curl = try #require(Programs.find("curl"))
        let own = ["-skf", "--noproxy", "*"]
        return try Programs.run(curl, own + arguments + ["\(scheme)://127.0.0.1:\(port)\(path)"]).output
    }
}

/// Tests/Interop/odd_registry.py: a registry that lies, stalls, refuses and breaks off when told to.
final class OddRegistry: ScriptedServer {
    var host: String { "localhost:\(port)" }

    init(tls: MadeCertificate? = nil) throws {
        try super.init(
            "odd_registry.py", tls.map { [$0.certificate.path, $0.key.path] } ?? [],
            scheme: tls == nil ? "http" : "https")
    }

    /// One request that the registry was sent.
    struct Request: Decodable {
        var method, path: String
        var authorization, range, host: String?
        var length: Int
    }

    /// Sets what goes wrong from now on, and forgets what was logged.
    ///
    /// - Parameter state: the query that uploads carry.
    func control(
        _ faults: String = "", auth: String = "none", realm: String? = nil, state: String = "_state=x%3D%3D"
    ) throws {
        let realm = realm.map { "\"\($0)\"" } ?? "null"
        let text = #"{"faults":[\#(faults)],"auth":"\#(auth)","realm":\#(realm),"state":"\#(state)"}"#
        _ = try curl(["--data-binary", text], "/control")
    }

    func log() throws -> [Request] {
        try JSONDecoder().decode([Request].self, from: Data(try curl([], "/log").utf8))
    }

    /// A store of one repository, with pauses short enough for tests.
    ///
    /// - Parameter name: the registry's name where it is not reached as localhost.
    func store(
        _ transport: HTTPTransport, as name: String? = nil, tag: String = "v1",
        credentials: any CredentialSource = NoCredentials(), plainHTTP: Bool = false
    ) async throws -> RegistryStore {
        var retry = RetryPolicy()
        retry.firstPause = .milliseconds(5)
        retry.longestPause = .milliseconds(50)
        let client = try await RegistryClient(
            RegistryReference("\(name ?? host)/team/set:\(tag)"), transport: transport, credentials: credentials,
            plainHTTP: plainHTTP, retry: retry)
        var store = RegistryStore(client)
        store.uploadPiece = 4096
        return store
    }
}

/// Tests/Interop/odd_proxy.py: every name leads to one port of this machine.
final class OddProxy: ScriptedServer {
    init(to port: Int, user: String? = nil, refusing status: Int? = nil) throws {
        try super.init(
            "odd_proxy.py",
            [String(port)] + (user.map { ["--user", $0] } ?? []) + (status.map { ["--refuse", String($0)] } ?? []))
    }

    struct Request: Decodable {
        /// Method and address.
        var line: String
        var authorization: String?
    }

    func log() throws -> [Request] {
        try JSONDecoder().decode([Request].self, from: Data(try curl([], "/log").utf8))
    }
}

/// A certificate that names hosts of tests, signed by itself.
final class MadeCertificate {
    let certificate: URL
    let key: URL
    private let scratch: Scratch

    static var canBeMade: Bool { Programs.find("openssl") != nil }

    init(_ hosts: String...) throws {
        scratch = try Scratch()
        (certificate, key) = (scratch.url("cert.pem"), scratch.url("key.pem"))
        let names = hosts.map { $0.first?.isNumber == true ? "IP:\($0)" : "DNS:\($0)" }.joined(separator: ",")
        let made = try Programs.run(
            try #require(Programs.find("openssl")),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj",
                "/CN=\(hosts[0])", "-addext",
                "subjectAltName=\(names)", "-keyout", key.path, "-out", certificate.path,
            ])
        try #require(made.status == 0, "\(made.errors)")
    }
}

struct NoCredentials: CredentialSource {
    var places: [String] { ["nowhere"] }
    func credentials(for registry: String, repository: String) throws(OCIError) -> Credentials? { nil }
}

/// The right ones for the odd registry's own name, none for any other.
struct TestCredentials: CredentialSource {
    let host: String
    var password = "s3cret-pass"

    var places: [String] { [] }

    func credentials(for registry: String, repository: String) throws(OCIError) -> Credentials? {
        registry == host ? Credentials(.password(user: "tester", password: password), from: "the test") : nil
    }
}
