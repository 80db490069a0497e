import Corpus
import Foundation
import Interchange
import Testing

@Suite struct ReferenceTests {
    @Test func readsReferences() throws {
        let reference = try RegistryReference("registry.example.org:5000/team/best-of:v1")
        #expect(reference.registry == "registry.example.org:5000")
        #expect(reference.host == "registry.example.org")
        #expect(reference.repository == "team/best-of")
        #expect(reference.version == .tag("v1"))
        #expect(try RegistryReference("localhost/x").version == .tag("latest"))
        #expect(try RegistryReference("[::1]:5000/x:y").host == "::1")
        let hex = String(repeating: "a1", count: 32)
        #expect(try RegistryReference("a.b/x@sha256:\(hex)").versionText == "sha256:\(hex)")
    }

    @Test(arguments: [
        "team/best:v1", "best", "", "a.b/UPPER:v1", "a.b/x:", "a.b/x:-tag", "a.b/../x:v1", "a.b/x@sha256:12",
        "a.b/x@md5:00", "user:password@a.b/x:v1", "a.b//x:v1", "https://a.b/x:v1", "oci:",
    ])
    func refusesWhatIsNone(_ text: String) {
        #expect(throws: OCIError.self) { try ArtifactLocation(text) }
    }

    @Test func readsLayouts() throws {
        #expect(
            try ArtifactLocation("oci:/media/stick:v2")
                == .layout(URL(fileURLWithPath: "/media/stick", isDirectory: true), tag: "v2"))
        #expect(
            try ArtifactLocation("oci:/a:b/c")
                == .layout(URL(fileURLWithPath: "/a:b/c", isDirectory: true), tag: "latest"))
    }

    @Test func readsChallenges() {
        let header =
            #"Bearer realm="https://a.b/token",service="reg \"x\"",scope="repository:t/s:pull,push", Basic realm=x"#
        let challenges = Challenge.parse(header)
        #expect(challenges.map(\.scheme) == ["bearer", "basic"])
        #expect(challenges.first?.parameters["scope"] == "repository:t/s:pull,push")
        #expect(challenges.first?.parameters["service"] == #"reg "x""#)
        #expect(challenges.last?.parameters["realm"] == "x")
        for odd in ["", ",,,", "=", "Bearer realm=\"", "\u{0}", "Bearer =x"] { _ = Challenge.parse(odd) }
    }

    @Test func readsDockersConfiguration() throws {
        let scratch = try Scratch()
        let file = scratch.url("config.json")
        let auth = Data("me:p:w".utf8).base64EncodedString()
        let text = #"{"auths":{"a.b":{"auth":"\#(auth)"},"c.d:5000":{"identitytoken":"t"},"e.f":{"auth":"!"}}}"#
        try Data(text.utf8).write(to: file)
        let docker = DockerConfiguration(environment: ["DOCKER_CONFIG": scratch.url.path])
        #expect(try docker.credentials(for: "a.b") == Credentials(.password(user: "me", password: "p:w")))
        #expect(try docker.credentials(for: "c.d:5000") == Credentials(.identityToken("t")))
        #expect(try docker.credentials(for: "x.y") == nil)
        #expect(throws: OCIError.self) { try docker.credentials(for: "e.f") }
        #expect("\(Credentials(.password(user: "me", password: "p:w")))" == "credentials")
    }

    @Test func asksACredentialHelper() throws {
        let scratch = try Scratch()
        try Data(#"{"credHelpers":{"a.b":"made"}}"#.utf8).write(to: scratch.url("config.json"))
        let helper = scratch.url("docker-credential-made")
        try Data("#!/bin/sh\nread host\necho '{\"Username\":\"me\",\"Secret\":\"for-'$host'\"}'\n".utf8).write(
            to: helper)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: helper.path)
        let docker = DockerConfiguration(environment: ["DOCKER_CONFIG": scratch.url.path, "PATH": scratch.url.path])
        #expect(try docker.credentials(for: "a.b") == Credentials(.password(user: "me", password: "for-a.b")))
    }
}
