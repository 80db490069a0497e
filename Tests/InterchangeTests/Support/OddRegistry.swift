import Foundation
import Interchange
import Testing

/// Tests/Interop/odd_registry.py: a registry that lies, stalls, refuses and breaks off when told to.
final class OddRegistry {
    static var isAvailable: Bool { Programs.find("python3") != nil }

    let port: Int
    private let process = Process()
    private let input = Pipe()

    var host: String { "localhost:\(port)" }

    init() throws {
        let output = Pipe()
        process.executableURL = try #require(Programs.find("python3"))
        process.arguments = [Programs.repository.appending(path: "Tests/Interop/odd_registry.py").path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = output.fileHandleForReading.availableData
        port = try #require(Int(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.terminate()
    }

    /// One request that the registry was sent.
    struct Request: Decodable {
        var method, path: String
        var authorization, range: String?
        var length: Int
    }

    /// Sets what goes wrong from now on, and forgets what was logged.
    func control(_ faults: String = "", auth: String = "none", realm: String? = nil) throws {
        let realm = realm.map { "\"\($0)\"" } ?? "null"
        _ = try curl(["--data-binary", #"{"faults":[\#(faults)],"auth":"\#(auth)","realm":\#(realm)}"#], "/control")
    }

    func log() throws -> [Request] {
        try JSONDecoder().decode([Request].self, from: Data(try curl([], "/log").utf8))
    }

    private func curl(_ arguments: [String], _ path: String) throws -> String {
        let curl = try #require(Programs.find("curl"))
        return try Programs.run(curl, ["-sf"] + arguments + ["http://127.0.0.1:\(port)\(path)"]).output
    }

    /// A store of one repository, with pauses short enough for tests.
    func store(
        _ transport: HTTPTransport, tag: String = "v1", credentials: any CredentialSource = NoCredentials()
    ) async throws -> RegistryStore {
        var retry = RetryPolicy()
        retry.firstPause = .milliseconds(5)
        retry.longestPause = .milliseconds(50)
        let client = try await RegistryClient(
            RegistryReference("\(host)/team/set:\(tag)"), transport: transport, credentials: credentials, retry: retry)
        var store = RegistryStore(client)
        store.uploadPiece = 4096
        return store
    }
}

struct NoCredentials: CredentialSource {
    func credentials(for registry: String) throws(OCIError) -> Credentials? { nil }
}

/// The right ones for the odd registry's own name, none for any other.
struct TestCredentials: CredentialSource {
    let host: String
    var password = "s3cret-pass"

    func credentials(for registry: String) throws(OCIError) -> Credentials? {
        registry == host ? Credentials(.password(user: "tester", password: password)) : nil
    }
}
