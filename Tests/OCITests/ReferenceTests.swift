import CorpusStore
import Foundation
import OCI
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
        #expect(try RegistryReference("a.b/x:v1@sha256:\(hex)").description == "a.b/x@sha256:\(hex)")
        #expect(try RegistryReference("docker://a.b/x:v1").description == "a.b/x:v1")
    }

    /// As docker reads them.
    @Test(arguments: [
        ("me/set:v1", "docker.io/me/set:v1"), ("set", "docker.io/library/set:latest"),
        ("set:v1", "docker.io/library/set:v1"), ("docker.io/set", "docker.io/library/set:latest"),
        ("docker.io/me/set", "docker.io/me/set:latest"), ("index.docker.io/me/set:v1", "docker.io/me/set:v1"),
        ("registry-1.docker.io/me/set:v1", "registry-1.docker.io/me/set:v1"), ("localhost/set", "localhost/set:latest"),
        ("vm:7001/team/set:v1", "vm:7001/team/set:v1"), ("me/team/set", "docker.io/me/team/set:latest"),
        ("Vm/set", "Vm/set:latest"),
    ])
    func readsNamesAsDockerDoes(text: String, expected: String) throws {
        #expect(try RegistryReference(text).description == expected)
    }

    @Test(arguments: [
        "", "a.b/UPPER:v1", "./folder", "../folder/x", "/folder/x", "~/folder", "a.b:99999x/y", ".b/x", "a-.b/x",
        "a.b/x:", "a.b/x:-tag", "a.b/../x:v1", "a.b/x@sha256:12",
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
}
