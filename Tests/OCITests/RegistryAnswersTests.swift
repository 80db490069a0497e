import CorpusStore
import Foundation
import OCI
import TestSupport
import Testing

/// What registries really answer: other codes, other headers, other places than the specification's examples.
@Suite(
    .enabled(if: OddRegistry.isAvailable && MadeCertificate.canBeMade, "python3, curl and openssl are needed"),
    .serialized)
final class RegistryAnswersTests {
    private let scratch: Scratch
    private let source: Corpus

    init() throws {
        scratch = try Scratch()
        source = try scratch.corpus("source")
        try Made.fill(source, count: 12)
    }

    private func fault(_ kind: String, _ match: String, times: Int = -1, _ more: String = "") -> String {
        #"{"kind":"\#(kind)","match":"\#(match)","times":\#(times)\#(more.isEmpty ? "" : "," + more)}"#
    }

    /// A registry that is reached through proxies, so that it can have any name, and what it is talked to by.
    private struct Setting {
        var environment: [String: String] = [:]
        var certificate: MadeCertificate?
        var name: String?
        var plainHTTP = false
        var credentials: any CredentialSource = NoCredentials()
    }

    private func with<R>(
        _ registry: OddRegistry, _ setting: Setting, _ body: (RegistryStore) async throws -> R
    ) async throws -> R {
        let transport = try HTTPTransport(
            idle: .seconds(10), certificates: setting.certificate?.certificate, environment: setting.environment)
        defer { transport.close() }
        return try await body(
            registry.store(
                transport, as: setting.name, credentials: setting.credentials, plainHTTP: setting.plainHTTP))
    }

    @discardableResult
    private func push(to registry: OddRegistry, _ setting: Setting = Setting()) async throws -> ArtifactPush.Outcome {
        try await with(registry, setting) { store in
            try await ArtifactPush(corpus: source, store: store)
                .run(source.selection(named: "best"), provenance: Provenance(title: "best"))
        }
    }

    private func pull(from registry: OddRegistry, _ setting: Setting = Setting()) async throws {
        let target = try scratch.corpus("target-\(UUID().uuidString)")
        _ = try await with(registry, setting) { try await ArtifactPull(corpus: target, store: $0).run(as: "theirs") }
        #expect(target.verify().isEmpty)
        #expect(try target.selection(named: "theirs").ids == source.selection(named: "best").ids)
    }

    private func isUntrusted(_ error: any Error) -> Bool { (error as? OCIError)?.code == .untrusted }

    // MARK: Codes

    @Test(arguments: [
        ("PUT .*manifests", [200, 202, 204]), ("PUT .*uploads", [200, 202, 204]), ("PATCH", [200, 201, 204]),
        ("POST", [200, 201, 204]),
    ])
    func anySuccessCounts(match: String, codes: [Int]) async throws {
        for code in codes {
            let registry = try OddRegistry()
            try registry.control(fault("success", match, #""code":\#(code)"#))
            let pushed = try await push(to: registry)
            #expect(pushed.changedReference && pushed.sentBlobs > 0)
            try registry.control()
            try await pull(from: registry)
        }
    }

    @Test func aBlobThatIsFoundElsewhereIsNotSent() async throws {
        let registry = try OddRegistry()
        try await push(to: registry)
        try registry.control(
            [fault("status", "HEAD", times: 1, #""code":404"#), fault("mounted", "POST", times: 1)].joined(
                separator: ","))
        try await push(to: registry)
        #expect(try registry.log().allSatisfy { $0.method != "PATCH" })
    }

    @Test(arguments: [400, 403, 405, 409, 412]) func theRegistrysWordsAreShown(code: Int) async throws {
        let registry = try OddRegistry()
        try registry.control(fault("status", "PUT .*manifests", #""code":\#(code)"#))
        await #expect { try await push(to: registry) } throws: { "\($0)".contains("made up") }
    }

    // MARK: Headers

    @Test func piecesAreAsLargeAsTheRegistryWants() async throws {
        let registry = try OddRegistry()
        try registry.control(fault("headers", "POST", #""set":[["OCI-Chunk-Min-Length","9000"]]"#))
        try await push(to: registry)
        let sizes = try registry.log().filter { $0.method == "PATCH" }.map(\.length)
        #expect(sizes.contains { $0 >= 9000 } && !sizes.contains(4096))
    }

    @Test(arguments: [
        #""set":[["Range","bytes=0-99999999"]]"#, #""set":[["Range","0-0"]]"#, #""drop":["Range"]"#,
        #""drop":["Location"]"#, #""set":[["Range","nonsense"]]"#, #""set":[["Range","bytes 4096-8191/*"]]"#,
    ])
    func pieceAnswersMayLackThings(change: String) async throws {
        let registry = try OddRegistry()
        try registry.control(fault("headers", "PATCH", change))
        try await push(to: registry)
        try registry.control()
        try await pull(from: registry)
    }

    @Test func aPieceThatIsTakenInPartGoesOnThere() async throws {
        let registry = try OddRegistry()
        try registry.control(fault("accept", "PATCH", times: 3, #""bytes":1000"#))
        try await push(to: registry)
        try registry.control()
        try await pull(from: registry)
    }

    @Test(arguments: [
        #""drop":["Docker-Content-Digest"]"#, #""set":[["Docker-Content-Digest","sha512:00"]]"#,
        #""set":[["Docker-Content-Digest",""]]"#,
    ])
    func aDigestNeedNotBeStated(change: String) async throws {
        let registry = try OddRegistry()
        try registry.control(fault("headers", ".*", change))
        try await push(to: registry)
        try await pull(from: registry)
    }

    @Test(arguments: ["PUT .*manifests", "PUT .*uploads", "GET .*manifests"]) func aWrongDigestIsRefused(match: String)
        async throws
    {
        let registry = try OddRegistry()
        if match.hasPrefix("GET") { try await push(to: registry) }
        try registry.control(fault("digest", match))
        await #expect {
            if match.hasPrefix("GET") { try await pull(from: registry) } else { try await push(to: registry) }
        } throws: {
            ($0 as? OCIError)?.code == .mismatch
        }
    }

    @Test(arguments: ["bytes 0-", "bytes=0-"]) func rangesComeInSeveralForms(prefix: String) async throws {
        let registry = try OddRegistry()
        try await push(to: registry)
        let part = #""code":206,"set":[["Content-Range","\#(prefix)99/*"]]"#
        try registry.control(fault("success", "GET .*blobs", part))
        try await pull(from: registry)
    }

    /// Some proxies take the length of a HEAD's answer away; then the blob is sent once more.
    @Test func aHeadWithoutALengthIsNoError() async throws {
        let registry = try OddRegistry()
        let first = try await push(to: registry)
        try registry.control(fault("nolength", "HEAD"))
        #expect(try await push(to: registry).sentBlobs == first.sentBlobs)
        try registry.control()
        try await pull(from: registry)
    }

    @Test func largeRequestsAreCutWhereAProxyTakesNone() async throws {
        try Made.fill(source, count: 300, from: 5000, side: 96)
        let registry = try OddRegistry()
        try registry.control(fault("limit", "PATCH", #""bytes":1000000"#))
        try await with(registry, Setting()) { store in
            var store = store
            store.uploadPiece = 4 << 20
            _ = try await ArtifactPush(corpus: source, store: store)
                .run(source.selection(named: "best"), provenance: Provenance(title: "best"))
        }
        #expect(try registry.log().contains { $0.method == "PATCH" && $0.length > 1_000_000 })
        try registry.control()
        try await pull(from: registry)
    }

    // MARK: Addresses

    @Test(arguments: ["_state=a%2Bb%2Fc%3D", "_state=a+b/c=", "s=%7E~&t=x|y&u=%2b", "q={a}&r=%"])
    func queriesComeBackAsTheyWere(state: String) async throws {
        let registry = try OddRegistry()
        try registry.control(state: state)
        try await push(to: registry)
        try registry.control()
        try await pull(from: registry)
    }

    @Test(arguments: ["sig=a%2Bb&cd=x|y", "X-Amz-Signature=%2f%2F&x=a b", "a=<b>&c=%C3%A9^`"])
    func signedAddressesArriveAsTheyWere(query: String) async throws {
        let registry = try OddRegistry()
        try await push(to: registry)
        let to = #""to":"/v2/team/set/blobs/DIGEST?\#(query)""#
        try registry.control(
            [fault("redirect", "GET .*blobs/[^?]*$", to)].joined())
        try await pull(from: registry)
        let asked = try registry.log().map(\.path).filter { $0.contains("?") }
        #expect(!asked.isEmpty && asked.allSatisfy { $0.hasSuffix("?" + query.replacing(" ", with: "%20")) })
    }

    /// A registry called registry.test, over TLS, and a second one in plain HTTP, to which every plain request would come.
    private func testWorld() throws -> (
        registry: OddRegistry, plain: OddRegistry, setting: Setting, proxies: [OddProxy]
    ) {
        let certificate = try MadeCertificate("registry.test", "localhost")
        let registry = try OddRegistry(tls: certificate)
        let plain = try OddRegistry()
        let proxies = [try OddProxy(to: registry.port), try OddProxy(to: plain.port)]
        let setting = Setting(
            environment: [
                "HTTPS_PROXY": "http://localhost:\(proxies[0].port)", "http_proxy": "localhost:\(proxies[1].port)",
            ], certificate: certificate, name: "registry.test")
        return (registry, plain, setting, proxies)
    }

    @Test(arguments: [
        "http://other.test", "http://registry.test:444", "http://127.0.0.1:PLAIN", "http://registry.test:8080",
        "HTTP://other.test:443",
    ])
    func nothingFollowsFromTLSToPlainHTTP(prefix: String) async throws {
        let (registry, plain, setting, proxies) = try testWorld()
        let prefix = prefix.replacing("PLAIN", with: String(plain.port))
        for match in ["POST", "PATCH"] {
            try registry.control(fault("location", match, #""prefix":"\#(prefix)""#))
            await #expect { try await push(to: registry, setting) } throws: { isUntrusted($0) }
        }
        try registry.control()
        try await push(to: registry, setting)
        for match in ["GET .*blobs", "GET .*manifests"] {
            try registry.control(fault("redirect", match, #""to":"\#(prefix)/x""#))
            await #expect { try await pull(from: registry, setting) } throws: { isUntrusted($0) }
        }
        #expect(try plain.log().isEmpty)
        #expect(try proxies[1].log().isEmpty)
    }

    @Test(arguments: [
        "http://registry.test", "http://registry.test:443", "//registry.test", "https://registry.test:443",
    ])
    func aSchemeThatIsWrongAloneIsPutRight(prefix: String) async throws {
        let (registry, plain, setting, proxies) = try testWorld()
        try registry.control(fault("location", ".*", #""prefix":"\#(prefix)""#), auth: "basic")
        var known = setting
        known.credentials = TestCredentials(host: "registry.test")
        try await push(to: registry, known)
        try registry.control()
        try await pull(from: registry, setting)
        #expect(try plain.log().isEmpty && proxies[1].log().isEmpty)
        #expect(try proxies[0].log().allSatisfy { $0.line == "CONNECT registry.test:443" })
    }

    @Test func anUploadElsewhereCarriesNoCredentials() async throws {
        let certificate = try MadeCertificate("registry.test", "localhost")
        let (registry, elsewhere) = (try OddRegistry(tls: certificate), try OddRegistry(tls: certificate))
        let proxy = try OddProxy(to: registry.port)
        try registry.control(
            fault("location", "POST", #""prefix":"https://localhost:\#(elsewhere.port)""#), auth: "basic")
        let setting = Setting(
            environment: ["HTTPS_PROXY": "http://localhost:\(proxy.port)"], certificate: certificate,
            name: "registry.test", credentials: TestCredentials(host: "registry.test"))
        await #expect(throws: OCIError.self) { try await push(to: registry, setting) }
        let asked = try elsewhere.log()
        #expect(asked.contains { $0.method == "PATCH" } && asked.allSatisfy { $0.authorization == nil })
    }

    @Test func aPlainRegistryHereLeadsNoFurther() async throws {
        let registry = try OddRegistry()
        let plain = try OddRegistry()
        let proxy = try OddProxy(to: plain.port)
        let setting = Setting(environment: ["HTTP_PROXY": "http://localhost:\(proxy.port)"])
        try registry.control(fault("location", "POST", #""prefix":"http://other.test""#))
        await #expect { try await push(to: registry, setting) } throws: { isUntrusted($0) }
        #expect(try proxy.log().isEmpty)
    }

    // MARK: Credentials

    @Test func saysThatThereWereNoCredentials() async throws {
        for how in ["basic", "bearer"] {
            let registry = try OddRegistry()
            try registry.control(auth: how)
            await #expect { try await push(to: registry) } throws: {
                "\($0)".contains("no credentials found (looked in nowhere)") && "\($0)".contains("docker login")
            }
            let wrong = Setting(credentials: TestCredentials(host: registry.host, password: "no"))
            await #expect { try await push(to: registry, wrong) } throws: {
                "\($0)".contains("refused the credentials from the test")
            }
        }
    }

    // MARK: Proxies

    @Test func proxiesAreAskedAndGetNoOtherCredentials() async throws {
        let certificate = try MadeCertificate("registry.test")
        let registry = try OddRegistry(tls: certificate)
        try registry.control(auth: "basic")
        let proxy = try OddProxy(to: registry.port, user: "me:p@w")
        var setting = Setting(
            environment: ["HTTPS_PROXY": "http://me:p%40w@localhost:\(proxy.port)"],
            certificate: certificate,
            name: "registry.test", credentials: TestCredentials(host: "registry.test"))
        try await push(to: registry, setting)
        let asked = try proxy.log()
        #expect(
            !asked.isEmpty && asked.allSatisfy { $0.line == "CONNECT registry.test:443" && $0.authorization != nil })
        #expect(try registry.log().allSatisfy { $0.authorization?.hasPrefix("Basic") ?? true })

        for (address, words) in [("http://localhost", "wants a user"), ("http://me:no@localhost", "refuses the user")] {
            setting.environment = ["HTTPS_PROXY": "\(address):\(proxy.port)"]
            await #expect { try await push(to: registry, setting) } throws: {
                "\($0)".hasPrefix("proxy localhost:\(proxy.port): \(words)") && !"\($0)".contains("me:no")
            }
        }
    }

    @Test func plainRequestsAreAskedOfAProxyWhole() async throws {
        let registry = try OddRegistry()
        let proxy = try OddProxy(to: registry.port, user: "me:pw")
        var setting = Setting(
            environment: ["HTTP_PROXY": "http://me:pw@localhost:\(proxy.port)/"], name: "registry.test:5000",
            plainHTTP: true)
        try await push(to: registry, setting)
        try await pull(from: registry, setting)
        let asked = try proxy.log()
        #expect(asked.allSatisfy { $0.line.contains(" http://registry.test:5000/v2/team/set/") })
        #expect(try registry.log().allSatisfy { $0.host == "registry.test:5000" })
        setting.environment = ["http_proxy": "localhost:\(proxy.port)"]
        await #expect { try await push(to: registry, setting) } throws: {
            "\($0)".hasPrefix("proxy localhost:\(proxy.port): wants a user")
        }
    }

    @Test func errorsOfAProxySpeakOfIt() async throws {
        let registry = try OddRegistry()
        let free = try DockerRegistry.freePort()
        let refusing = try OddProxy(to: registry.port, refusing: 403)
        let failing = try OddProxy(to: registry.port, refusing: 502)
        let cases = [
            ("http://localhost:\(free)", "proxy localhost:\(free): cannot be reached"),
            (
                "http://localhost:\(refusing.port)",
                "proxy localhost:\(refusing.port): refuses to connect to registry.test:443"
            ),
            ("http://localhost:\(failing.port)", "proxy localhost:\(failing.port): does not reach registry.test:443"),
            ("http://proxy.invalid:3128", "proxy proxy.invalid:3128: its name is not known"),
            ("ftp://x", "HTTPS_PROXY: does not hold"),
        ]
        for (proxy, words) in cases {
            let setting = Setting(environment: ["HTTPS_PROXY": proxy], name: "registry.test")
            await #expect { try await push(to: registry, setting) } throws: { "\($0)".hasPrefix(words) }
        }
        #expect(try registry.log().isEmpty)
    }
}
