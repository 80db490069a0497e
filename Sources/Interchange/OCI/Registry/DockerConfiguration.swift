import Foundation

/// The credentials that `docker login` (or `podman login`, `skopeo login`) has stored.
///
/// Looked for in $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, ~/.docker/config.json and
/// $XDG_RUNTIME_DIR/containers/auth.json; the first that exists counts.
package struct DockerConfiguration: CredentialSource {
    private let file: URL?
    private let environment: [String: String]

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.environment = environment
        var paths: [String] = []
        if let path = environment["REGISTRY_AUTH_FILE"] { paths.append(path) }
        let home = environment["HOME"] ?? NSHomeDirectory()
        paths.append((environment["DOCKER_CONFIG"] ?? home + "/.docker") + "/config.json")
        if let folder = environment["XDG_RUNTIME_DIR"] { paths.append(folder + "/containers/auth.json") }
        file = paths.first { FileManager.default.fileExists(atPath: $0) }.map { URL(fileURLWithPath: $0) }
    }

    private struct Document: Decodable {
        struct Entry: Decodable {
            var auth, username, password, identitytoken: String?
        }
        var auths: [String: Entry]?
        var credHelpers: [String: String]?
        var credsStore: String?
    }

    package func credentials(for registry: String) throws(OCIError) -> Credentials? {
        guard let file, let data = try? Data(contentsOf: file) else { return nil }
        // A parser's message could quote the file.
        guard let document = try? JSONDecoder().decode(Document.self, from: data) else {
            throw OCIError(.unauthorized, file.path, "is not a docker configuration: log in again")
        }
        let keys = [registry, "https://\(registry)", "https://\(registry)/v2/", "https://\(registry)/v1/"]
        if let helper = document.credHelpers?[registry] {
            return try CredentialHelper(name: helper, environment: environment).credentials(for: registry)
        }
        for key in keys {
            guard let entry = document.auths?[key] else { continue }
            if let token = entry.identitytoken, !token.isEmpty { return Credentials(.identityToken(token)) }
            if let user = entry.username, let password = entry.password {
                return Credentials(.password(user: user, password: password))
            }
            if let auth = entry.auth, !auth.isEmpty { return try Self.decode(auth, file: file, registry: registry) }
        }
        guard let helper = document.credsStore, !helper.isEmpty else { return nil }
        return try CredentialHelper(name: helper, environment: environment).credentials(for: registry)
    }

    private static func decode(_ auth: String, file: URL, registry: String) throws(OCIError) -> Credentials {
        guard let bytes = Data(base64Encoded: auth), let text = String(data: bytes, encoding: .utf8),
            let colon = text.firstIndex(of: ":")
        else { throw OCIError(.unauthorized, file.path, "its entry for \(registry) is damaged: log in again") }
        // Docker pads the password with NUL bytes in places.
        let password = text[text.index(after: colon)...].trimmingCharacters(in: CharacterSet(charactersIn: "\0"))
        return Credentials(.password(user: String(text[..<colon]), password: password))
    }
}
