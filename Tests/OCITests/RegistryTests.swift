import CorpusStore
import Foundation
import OCI
import TestSupport
import Testing

/// Push and pull as a user runs them, against Debian's docker-registry with htpasswd, and skopeo in between.
@Suite(.enabled(if: DockerRegistry.isInstalled, DockerRegistry.comment), .serialized)
final class RegistryTests {
    private let scratch: Scratch
    private let source: Corpus

    init() throws {
        scratch = try Scratch()
        source = try scratch.corpus("source")
    }

    private func attune(
        _ arguments: String..., environment: [String: String]
    ) throws -> (status: Int32, output: String, errors: String) {
        try Programs.run(Repository.command, arguments, environment: environment)
    }

    private func newCorpus(_ name: String) throws -> String {
        _ = try scratch.corpus(name)
        return scratch.url(name).path
    }

    private func open(_ path: String) throws -> Corpus {
        try Corpus(at: URL(fileURLWithPath: path, isDirectory: true), scoring: NoScores())
    }

    private struct PushReport: Decodable {
        var manifest: String
        var samples, shards, present_shards, sent_blobs, sent_bytes: Int
        var changed: Bool
    }

    private func report<R: Decodable>(_ outcome: (status: Int32, output: String, errors: String)) throws -> R {
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(R.self, from: Data(outcome.output.utf8))
    }

    @Test func pushesPullsAndSendsNothingTwice() async throws {
        try Made.fill(source, count: 200)
        let registry = try await DockerRegistry()
        let login = try registry.login()
        let path = source.folder.path
        let reference = "\(registry.host)/team/best:v1"
        let first: PushReport = try report(
            attune("push", "--corpus", path, "best", reference, "--license", "CC0-1.0", "--json", environment: login))
        #expect(first.samples == 200 && first.sent_blobs == first.shards + 1 && first.changed)
        let second: PushReport = try report(
            attune("push", "--corpus", path, "best", reference, "--license", "CC0-1.0", "--json", environment: login))
        #expect(second.sent_blobs == 0 && !second.changed && second.manifest == first.manifest)
        #expect(first.present_shards == 0 && second.present_shards == second.shards)
        let third = try attune("push", "--corpus", path, "best", reference, "--license", "CC0-1.0", environment: login)
        #expect(third.output.contains("; 0 bytes sent, \(second.shards) layers already present\n"), "\(third.output)")

        let target = try newCorpus("target")
        let pulled = try attune("pull", "--corpus", target, "theirs", reference, environment: login)
        #expect(pulled.status == 0, "\(pulled.errors)")
        let corpus = try open(target)
        #expect(corpus.verify().isEmpty)
        #expect(try corpus.selection(named: "theirs") == source.selection(named: "best"))
        let byDigest = try attune(
            "pull", "--corpus", target, "again", "\(registry.host)/team/best@\(first.manifest)", environment: login)
        #expect(byDigest.status == 0, "\(byDigest.errors)")
    }

    /// skopeo, podman and buildah write their own file, and can log in to a namespace.
    @Test(arguments: ["", "/team", "/team/best"]) func takesTheLoginOfSkopeo(namespace: String) async throws {
        try await takesTheLogin(of: "skopeo", namespace)
    }

    @Test(.enabled(if: Programs.find("podman") != nil, "podman is needed")) func takesTheLoginOfPodman() async throws {
        try await takesTheLogin(of: "podman", "/team")
    }

    @Test(.enabled(if: Programs.find("buildah") != nil, "buildah is needed")) func takesTheLoginOfBuildah() async throws
    {
        try await takesTheLogin(of: "buildah", "")
    }

    private func takesTheLogin(of program: String, _ namespace: String) async throws {
        try Made.fill(source, count: 8)
        let registry = try await DockerRegistry()
        let environment = [
            "XDG_RUNTIME_DIR": scratch.url("run").path, "HOME": scratch.url("home").path, "DOCKER_CONFIG": "",
            "REGISTRY_AUTH_FILE": "",
        ]
        try FileManager.default.createDirectory(at: scratch.url("run"), withIntermediateDirectories: true)
        let login = try Programs.run(
            try #require(Programs.find(program)),
            [
                "login", "--tls-verify=false", "--username", DockerRegistry.user, "--password",
                DockerRegistry.password, registry.host + namespace,
            ], environment: environment)
        try #require(login.status == 0, "\(login.errors)")
        let reference = "\(registry.host)/team/best:v1"
        let pushed = try attune("push", "--corpus", source.folder.path, "best", reference, environment: environment)
        #expect(pushed.status == 0, "\(pushed.errors)")
        let other = "\(registry.host)/others/best:v1"
        let elsewhere = try attune("push", "--corpus", source.folder.path, "best", other, environment: environment)
        #expect(elsewhere.status == (namespace.isEmpty ? 0 : 1))
        #expect(namespace.isEmpty || elsewhere.errors.contains("no credentials found (looked in "))
    }

    @Test func saysWhatIsWrongWithoutTellingSecrets() async throws {
        try Made.fill(source, count: 8)
        let registry = try await DockerRegistry()
        let reference = "\(registry.host)/team/best:v1"
        for login in [try registry.login(password: "not-it-7"), ["DOCKER_CONFIG": scratch.url("none").path]] {
            var environment = login
            environment["ATTUNE_LOG"] = "trace"
            let outcome = try attune(
                "push", "--corpus", source.folder.path, "best", reference, environment: environment)
            #expect(outcome.status == 1)
            let failure = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("attune: ") }
            #expect(failure.count == 1 && failure.allSatisfy { $0.contains("docker login") })
            for secret in ["not-it-7", DockerRegistry.password, Data("tester:not-it-7".utf8).base64EncodedString()] {
                #expect(!outcome.errors.contains(secret) && !outcome.output.contains(secret))
            }
        }
        let missing = try attune(
            "pull", "--corpus", source.folder.path, "x", "\(registry.host)/team/none:v1", environment: registry.login())
        #expect(missing.status == 1 && missing.errors.contains("no such artifact"))
    }

    @Test func speaksTLSOnly_ToACertificateThatIsTrusted() async throws {
        let openssl = try #require(Programs.find("openssl"))
        let (certificate, key) = (scratch.url("cert.pem"), scratch.url("key.pem"))
        let made = try Programs.run(
            openssl,
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", key.path, "-out", certificate.path,
            ])
        try #require(made.status == 0, "\(made.errors)")
        try Made.fill(source, count: 8)
        let registry = try await DockerRegistry(tls: (certificate, key))
        let login = try registry.login()
        let reference = "\(registry.host)/team/best:v1"
        let distrusted = try attune("push", "--corpus", source.folder.path, "best", reference, environment: login)
        #expect(distrusted.status == 1 && distrusted.errors.contains("not trusted"))
        let trusted = try attune(
            "push", "--corpus", source.folder.path, "best", reference, "--ca-file", certificate.path, environment: login
        )
        #expect(trusted.status == 0, "\(trusted.errors)")
    }

    @Test func skopeoCarriesArtifactsBetweenRegistryAndLayout() async throws {
        try Made.fill(source, count: 40)
        let registry = try await DockerRegistry()
        let login = try registry.login()
        let skopeo = try #require(Programs.find("skopeo"))
        let reference = "\(registry.host)/team/best"
        let path = source.folder.path
        let pushed = try attune("push", "--corpus", path, "best", "\(reference):v1", environment: login)
        try #require(pushed.status == 0, "\(pushed.errors)")

        let layout = scratch.url("layout").path
        let out = try Programs.run(
            skopeo, ["copy", "--src-tls-verify=false", "docker://\(reference):v1", "oci:\(layout):v1"],
            environment: login)
        try #require(out.status == 0, "\(out.errors)")
        let target = try newCorpus("from-layout")
        let pulled = try attune("pull", "--corpus", target, "theirs", "oci:\(layout):v1", environment: [:])
        #expect(pulled.status == 0, "\(pulled.errors)")
        #expect(try open(target).verify().isEmpty)

        let own = scratch.url("own").path
        let written = try attune("push", "--corpus", path, "best", "oci:\(own):v2", environment: [:])
        try #require(written.status == 0, "\(written.errors)")
        let back = try Programs.run(
            skopeo, ["copy", "--dest-tls-verify=false", "oci:\(own):v2", "docker://\(reference):v2"],
            environment: login)
        try #require(back.status == 0, "\(back.errors)")
        let other = try newCorpus("from-registry")
        let again = try attune("pull", "--corpus", other, "theirs", "\(reference):v2", environment: login)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try open(other).selection(named: "theirs") == source.selection(named: "best"))
        let raw = try Programs.run(
            skopeo, ["inspect", "--raw", "--tls-verify=false", "docker://\(reference):v2"], environment: login)
        #expect(raw.output.contains("application/vnd.attune.selection.v1"))
    }

    /// Killed at random moments, over and over, push and pull come to the same end as if nothing had been.
    @Test func killsConverge() async throws {
        try Made.fill(source, count: 160, side: 96)
        let registry = try await DockerRegistry()
        let login = try registry.login()
        let path = source.folder.path
        let reference = "\(registry.host)/team/best:v1"
        let pushes = try killing(["push", "--corpus", path, "best", reference], environment: login)
        #expect(pushes >= 20)
        #expect(source.verify().isEmpty)
        let pushed: PushReport = try report(
            attune("push", "--corpus", path, "best", reference, "--json", environment: login))
        let undisturbed: PushReport = try report(
            attune("push", "--corpus", path, "best", "\(registry.host)/other/best:v1", "--json", environment: login))
        #expect(pushed.manifest == undisturbed.manifest)

        let target = try newCorpus("target")
        let pulls = try killing(["pull", "--corpus", target, "theirs", reference], environment: login) {
            let corpus = try self.open(target)
            #expect(corpus.verify().isEmpty)
        }
        #expect(pulls >= 20)
        let last = try attune("pull", "--corpus", target, "theirs", reference, environment: login)
        #expect(last.status == 0, "\(last.errors)")
        let corpus = try open(target)
        #expect(corpus.verify().isEmpty)
        #expect(try corpus.selection(named: "theirs") == source.selection(named: "best"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: corpus.files.temporaryFolder.path).isEmpty)
    }

    /// Runs a command and kills it within its usual time, until that has happened twenty times.
    ///
    /// - Returns: how many of the runs were killed before they were done.
    private func killing(
        _ arguments: [String], environment: [String: String], check: () throws -> Void = {}
    ) throws -> Int {
        var killed = 0
        var longest = 0.35
        for _ in 0..<120 where killed < 20 {
            let process = Process()
            process.executableURL = Repository.command
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            let begin = ContinuousClock.now
            try process.run()
            Thread.sleep(forTimeInterval: .random(in: 0.01...longest))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if process.terminationReason == .uncaughtSignal {
                killed += 1
            } else {
                longest = max(0.02, min(longest, (ContinuousClock.now - begin) / .seconds(1)) * 0.8)
            }
            try check()
        }
        return killed
    }
}
