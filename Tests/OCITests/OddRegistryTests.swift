import CorpusStore
import Foundation
import OCI
import TestSupport
import Testing

/// What the client does when a registry lies, fails or is slow.
@Suite(.enabled(if: OddRegistry.isAvailable, "python3 is needed"), .serialized)
final class OddRegistryTests {
    private let scratch: Scratch
    private let registry: OddRegistry
    private let source: Corpus

    init() throws {
        scratch = try Scratch()
        registry = try OddRegistry()
        source = try scratch.corpus("source")
        try Made.fill(source, count: 20)
    }

    private func with<R>(
        idle: Duration = .seconds(10), credentials: any CredentialSource = NoCredentials(),
        _ body: (RegistryStore) async throws -> R
    ) async throws -> R {
        let transport = try HTTPTransport(idle: idle)
        do {
            let result = try await body(registry.store(transport, credentials: credentials))
            transport.close()
            return result
        } catch {
            transport.close()
            throw error
        }
    }

    @discardableResult
    private func push(credentials: any CredentialSource = NoCredentials()) async throws -> ArtifactPush.Outcome {
        try await with(credentials: credentials) { store in
            try await ArtifactPush(corpus: source, store: store)
                .run(source.selection(named: "best"), provenance: Provenance(title: "best"))
        }
    }

    @discardableResult
    private func pull(
        _ corpus: Corpus, idle: Duration = .seconds(10), credentials: any CredentialSource = NoCredentials()
    ) async throws -> ArtifactPull.Outcome {
        try await with(idle: idle, credentials: credentials) { store in
            try await ArtifactPull(corpus: corpus, store: store).run(as: "theirs")
        }
    }

    private func fault(_ kind: String, _ match: String, times: Int = 1, _ more: String = "") -> String {
        #"{"kind":"\#(kind)","match":"\#(match)","times":\#(times)\#(more.isEmpty ? "" : "," + more)}"#
    }

    @Test func pushesInPiecesAndSendsNothingTwice() async throws {
        let first = try await push()
        #expect(try registry.log().contains { $0.method == "PATCH" })
        try registry.control()
        let second = try await push()
        #expect(first.sentBlobs > 0 && second.sentBlobs == 0 && !second.changedReference)
        #expect(try registry.log().allSatisfy { $0.method == "HEAD" || $0.method == "GET" })
    }

    /// Trouble that passes is waited for; the result is as if nothing had been.
    @Test(arguments: ["429", "500", "502", "503", "408"]) func passingTroubleIsOvercome(status: String) async throws {
        for match in ["POST", "PATCH", "PUT .*uploads", "HEAD", "PUT .*manifests"] {
            try registry.control(
                fault("status", match, times: 2, #""code":\#(status),"headers":[["Retry-After","0"]]"#))
            try source.append([try Made.record(UInt64.random(in: 1000...1_000_000))])
            try source.store(source.resolve(CatalogueQuery(condition: "tag = 'made'")), as: "best")
            try await push()
        }
        let target = try scratch.corpus("target")
        try registry.control(fault("status", "GET .*(blobs|manifests)", times: 3, #""code":\#(status)"#))
        try await pull(target)
        #expect(target.verify().isEmpty)
    }

    @Test func troubleThatStaysIsReportedOnce() async throws {
        try await push()
        try registry.control(fault("status", "GET .*blobs", times: -1, #""code":503"#))
        let target = try scratch.corpus("target")
        await #expect { try await pull(target) } throws: { ($0 as? OCIError)?.code == .unavailable }
        #expect(try target.shards().isEmpty && target.selectionNames().isEmpty)
        let asked = try registry.log().filter { $0.path.contains("/blobs/") }
        #expect(asked.count == RetryPolicy().attempts)
    }

    @Test func brokenUploadsGoOn() async throws {
        for match in ["PATCH", "PUT .*uploads", "POST", "PUT .*manifests", "HEAD"] {
            try registry.control(
                [fault("cut_request", match, #""after":1000"#), fault("cut", match, #""after":0"#)].joined(
                    separator: ","))
            try source.append([try Made.record(UInt64.random(in: 1000...1_000_000))])
            try source.store(source.resolve(CatalogueQuery(condition: "tag = 'made'")), as: "best")
            try await push()
        }
        try registry.control(fault("drop_upload", "PATCH"))
        try source.append([try Made.record(77)])
        try source.store(source.resolve(CatalogueQuery(condition: "tag = 'made'")), as: "best")
        try await push()
        try registry.control()
        let target = try scratch.corpus("target")
        let pulled = try await pull(target)
        #expect(pulled.addedSamples == 26)
        #expect(target.verify().isEmpty)
    }

    @Test func brokenDownloadsGoOnWhereTheyWere() async throws {
        try await push()
        let cuts = (1...8).map { fault("cut", "GET .*blobs", #""after":\#($0 * 900)"#) }.joined(separator: ",")
        try registry.control(cuts)
        let target = try scratch.corpus("target")
        try await pull(target)
        #expect(target.verify().isEmpty)
        let ranges = try registry.log().compactMap(\.range)
        #expect(ranges.count >= 6)
        #expect(ranges.contains { $0 != "bytes=0-" })
    }

    @Test func aRegistryThatIgnoresRangesIsReadFromTheStart() async throws {
        try await push()
        try registry.control(
            [fault("cut", "GET .*blobs", times: 2, #""after":5000"#), fault("norange", "GET .*blobs", times: -1)]
                .joined(separator: ","))
        let target = try scratch.corpus("target")
        try await pull(target)
        #expect(target.verify().isEmpty)
    }

    @Test(arguments: ["flip", "longer", "digest"]) func liesAreRefused(kind: String) async throws {
        try await push()
        let match = kind == "digest" ? "GET .*manifests" : "GET .*blobs"
        try registry.control(fault(kind, match, times: -1))
        let target = try scratch.corpus("target")
        await #expect { try await pull(target) } throws: { ($0 as? OCIError)?.code == .mismatch }
        #expect(try target.shards().isEmpty && target.selectionNames().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: target.files.temporaryFolder.path).isEmpty)
        try registry.control()
        try await pull(target)
        #expect(target.verify().isEmpty)
    }

    @Test func aManifestOfAnotherDigestThanAskedForIsRefused() async throws {
        let pushed = try await push()
        try registry.control(fault("flip", "GET .*manifests", times: -1))
        let transport = try HTTPTransport()
        let client = try await RegistryClient(
            RegistryReference("\(registry.host)/team/set@\(pushed.manifest)"), transport: transport,
            credentials: NoCredentials())
        await #expect { try await RegistryStore(client).manifest() } throws: { ($0 as? OCIError)?.code == .mismatch }
        transport.close()
    }

    @Test func anOversizedManifestIsNotRead() async throws {
        try await push()
        try registry.control(fault("longer", "GET .*manifests", times: -1, #""bytes":6000000"#))
        let target = try scratch.corpus("target")
        await #expect { try await pull(target) } throws: { ($0 as? OCIError)?.code == .malformed }
    }

    @Test func aTornPartialFileIsFetchedAnew() async throws {
        try await push()
        let target = try scratch.corpus("target")
        // What a crash could leave: the right length, wrong bytes.
        let manifest = try await with { try ArtifactManifest(data: await $0.manifest(), from: "test") }
        let layer = try #require(manifest.layers.first)
        let partial = target.files.temporaryFolder.appending(path: "pull_\(layer.digest.sha256.hex)")
        try Data(count: layer.size / 2).write(to: partial)
        try await pull(target)
        #expect(target.verify().isEmpty)
    }

    @Test func slowAnswersEnd() async throws {
        try await push()
        try registry.control(fault("stall", "GET .*blobs", times: -1, #""seconds":30"#))
        let target = try scratch.corpus("target")
        let begin = ContinuousClock.now
        await #expect { try await pull(target, idle: .milliseconds(100)) } throws: {
            ($0 as? OCIError)?.message.contains("slowly") == true
        }
        #expect(ContinuousClock.now - begin < .seconds(15))
    }

    @Test(arguments: ["basic", "bearer"]) func authenticates(how: String) async throws {
        try registry.control(auth: how)
        let right = TestCredentials(host: registry.host)
        try await push(credentials: right)
        let target = try scratch.corpus("target")
        try await pull(target, credentials: right)
        #expect(target.verify().isEmpty)
        for wrong: any CredentialSource in [NoCredentials(), TestCredentials(host: registry.host, password: "no")] {
            await #expect { try await pull(target, credentials: wrong) } throws: { error in
                let text = "\(error)"
                return (error as? OCIError)?.code == .unauthorized && !text.contains("tester")
                    && !text.contains("s3cret")
            }
        }
    }

    @Test func credentialsDoNotFollowRedirects() async throws {
        let elsewhere = try OddRegistry()
        try registry.control(auth: "basic")
        let right = TestCredentials(host: registry.host)
        try await push(credentials: right)
        try registry.control(
            fault(
                "redirect", "GET .*blobs", times: -1, #""to":"http://127.0.0.1:\#(elsewhere.port)/v2/team/set/blobs/x""#
            ),
            auth: "basic")
        let target = try scratch.corpus("target")
        await #expect(throws: OCIError.self) { try await pull(target, credentials: right) }
        let asked = try elsewhere.log()
        #expect(!asked.isEmpty && asked.allSatisfy { $0.authorization == nil })
    }

    @Test func redirectsToTheSamePlaceWithoutEndEnd() async throws {
        try await push()
        try registry.control(fault("redirect", "GET .*blobs", times: -1, #""to":"/v2/team/set/blobs/x""#))
        let target = try scratch.corpus("target")
        await #expect(throws: OCIError.self) { try await pull(target) }
    }

    @Test func aTokenServiceElsewhereGetsNoCredentials() async throws {
        let elsewhere = try OddRegistry()
        try registry.control(auth: "bearer", realm: "http://127.0.0.1:\(elsewhere.port)/token")
        await #expect { try await push(credentials: TestCredentials(host: registry.host)) } throws: {
            ($0 as? OCIError)?.code == .untrusted
        }
        #expect(try elsewhere.log().isEmpty)
    }
}
