import Foundation
import OCI
import TestSupport
import Testing

/// Which stored login is found, and where.
@Suite struct CredentialTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func write(_ text: String, _ path: String) throws {
        let file = scratch.url(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func auth(_ user: String) -> String { Data("\(user):p:w".utf8).base64EncodedString() }

    private func source(_ more: [String: String] = [:]) -> StoredCredentials {
        let own = ["HOME": scratch.url("home").path, "XDG_RUNTIME_DIR": scratch.url("run").path]
        return StoredCredentials(environment: own.merging(more) { $1 })
    }

    private func user(_ registry: String, _ repository: String = "team/set", _ more: [String: String] = [:]) throws
        -> String?
    {
        try source(more).credentials(for: registry, repository: repository).map(Self.user)
    }

    private static func user(_ credentials: Credentials) -> String {
        for name in ["run", "config", "docker", "named", "me", "team", "set", "other", "hub"] {
            let password = Credentials(.password(user: name, password: "p:w"), from: credentials.source)
            if credentials == password { return name }
        }
        return credentials == Credentials(.identityToken("t"), from: credentials.source) ? "token" : "?"
    }

    @Test func asksTheFilesInPodmansOrder() throws {
        #expect(try user("a.b") == nil)
        let files = [
            ("home/.docker/config.json", "docker"), ("home/.config/containers/auth.json", "config"),
            ("run/containers/auth.json", "run"),
        ]
        for (path, name) in files {
            try write(#"{"auths":{"a.b":{"auth":"\#(auth(name))"}}}"#, path)
            #expect(try user("a.b") == name)
        }
        // A file that knows other registries only does not end the search.
        try write(#"{"auths":{"x.y":{"auth":"\#(auth("other"))"}}}"#, "run/containers/auth.json")
        #expect(try user("a.b") == "config")
        try write("{}", "home/.config/containers/auth.json")
        #expect(try user("a.b") == "docker")
        try write("", "home/.config/containers/auth.json")
        #expect(try user("a.b") == "docker")
        try write(#"{"auths":{"a.b":{"auth":"\#(auth("me"))"}}}"#, "dc/config.json")
        #expect(try user("a.b", "x", ["DOCKER_CONFIG": scratch.url("dc").path]) == "me")
        try write(#"{"auths":{"a.b":{"auth":"\#(auth("named"))"}}}"#, "named.json")
        #expect(try user("a.b", "x", ["REGISTRY_AUTH_FILE": scratch.url("named.json").path]) == "named")
        #expect(try user("a.b", "x", ["REGISTRY_AUTH_FILE": scratch.url("absent.json").path]) == nil)
        #expect(source().places.count == 3)
        let found = try #require(try source().credentials(for: "a.b", repository: "x"))
        #expect(found.source.hasSuffix("home/.docker/config.json"))
    }

    @Test func takesTheLongestKeyThatNamesTheRepository() throws {
        let keys = [
            ("a.b:5000", "me"), ("a.b:5000/team", "team"), ("a.b:5000/team/set", "set"), ("a.b:5000/tea", "other"),
        ]
        let entries = keys.map { #""\#($0)":{"auth":"\#(auth($1))"}"# }.joined(separator: ",")
        try write(#"{"auths":{\#(entries)}}"#, "run/containers/auth.json")
        #expect(try user("a.b:5000", "team/set") == "set")
        #expect(try user("a.b:5000", "team/other") == "team")
        #expect(try user("a.b:5000", "team/set/deep") == "set")
        #expect(try user("a.b:5000", "teams/set") == "me")
        #expect(try user("A.B:5000", "") == "me")
        #expect(try user("a.b", "team/set") == nil)
    }

    @Test(arguments: [
        "https://a.b", "http://a.b/", "https://a.b/v1/", "https://a.b/v2/", "a.b/v1/", "a.b/", "A.b", "HTTPS://a.b/v2",
    ])
    func readsKeysInTheFormOfAddresses(key: String) throws {
        try write(#"{"auths":{"\#(key)":{"auth":"\#(auth("me"))"}}}"#, "home/.docker/config.json")
        #expect(try user("a.b") == "me")
        #expect(try user("c.a.b") == nil)
    }

    @Test(arguments: [
        "https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io", "https://docker.io",
    ])
    func knowsDockerHubsNames(key: String) throws {
        try write(#"{"auths":{"\#(key)":{"auth":"\#(auth("hub"))"}}}"#, "home/.docker/config.json")
        for name in ["docker.io", "registry-1.docker.io"] { #expect(try user(name) == "hub") }
        #expect(try user("hub.docker.io") == nil)
    }

    @Test func readsTheFormsOfAnEntry() throws {
        try write(
            #"""
            {"auths":{"a.b":{"identitytoken":"t"},"c.d":{"username":"me","password":"p:w"},"e.f":{"auth":"!"},
            "g.h":{},"i.j":null,"k.l":{"auth":"\#(auth("me"))","identitytoken":"t"}}}
            """#, "home/.docker/config.json")
        #expect(try user("a.b") == "token" && user("c.d") == "me" && user("k.l") == "token")
        #expect(try user("g.h") == nil && user("i.j") == nil)
        #expect { try user("e.f") } throws: { "\($0)".contains("damaged") && "\($0)".contains("config.json") }
        #expect("\(Credentials(.password(user: "me", password: "p:w")))" == "credentials")
        try write("{ not JSON s3cret", "home/.docker/config.json")
        #expect { try user("a.b") } throws: { "\($0)".contains("config.json") && !"\($0)".contains("s3cret") }
    }

    /// Only a file that is not there is passed over.
    @Test func aFileThatCannotBeReadIsNamed() throws {
        try FileManager.default.createDirectory(
            at: scratch.url("run/containers/auth.json"), withIntermediateDirectories: true)
        #expect { try user("a.b") } throws: { "\($0)".contains("auth.json") }
    }

    @Test func asksACredentialHelper() throws {
        let helper = scratch.url("docker-credential-made")
        let script = """
            #!/bin/sh
            read host
            case "$host" in
            https://index.docker.io/v1/) echo '{"Username":"hub","Secret":"p:w"}' ;;
            a.b) echo '{"Username":"me","Secret":"p:w"}' ;;
            t.b) echo '{"Username":"<token>","Secret":"t"}' ;;
            *) echo credentials not found; exit 1 ;;
            esac
            """
        try Data(script.utf8).write(to: helper)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: helper.path)
        let path = ["PATH": scratch.url.path + ":/usr/bin:/bin"]
        try write(#"{"credHelpers":{"a.b":"made"},"auths":{"a.b":{}}}"#, "home/.docker/config.json")
        #expect(try user("a.b", "x", path) == "me" && user("t.b", "x", path) == nil)
        try write(#"{"credsStore":"made","auths":{"c.d":{"auth":"\#(auth("other"))"}}}"#, "home/.docker/config.json")
        #expect(try user("a.b", "x", path) == "me" && user("t.b", "x", path) == "token")
        #expect(try user("docker.io", "x", path) == "hub" && user("c.d", "x", path) == "other")
        #expect(try user("x.y", "x", path) == nil)
        // A helper that knows nothing does not end the search.
        try write(#"{"credsStore":"made"}"#, "run/containers/auth.json")
        #expect(try user("c.d", "x", path) == "other")
        try write(#"{"credsStore":"absent"}"#, "run/containers/auth.json")
        #expect { try user("a.b", "x", path) } throws: { "\($0)".contains("docker-credential-absent") }
    }
}
