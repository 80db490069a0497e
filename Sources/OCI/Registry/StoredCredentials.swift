import DiskAccess
package import Foundation

/// The credentials that `docker login`, `podman login` or `skopeo login` has stored.
///
/// Files are asked in the order of podman and skopeo, and the first that knows the registry counts:
/// $REGISTRY_AUTH_FILE alone where it is set; else $XDG_RUNTIME_DIR/containers/auth.json (without the variable,
/// /run/containers/UID/auth.json), $XDG_CONFIG_HOME/containers/auth.json (~/.config), $DOCKER_CONFIG/config.json
/// (~/.docker).
package struct StoredCredentials: CredentialSource {
    private let files: [String]
    private let environment: [String: String]

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.environment = environment
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("REGISTRY_AUTH_FILE") {
            files = [path]
            return
        }
        let home = value("HOME") ?? NSHomeDirectory()
        files = [
            (value("XDG_RUNTIME_DIR").map { $0 + "/containers" } ?? "/run/containers/\(getuid())") + "/auth.json",
            (value("XDG_CONFIG_HOME") ?? home + "/.config") + "/containers/auth.json",
            (value("DOCKER_CONFIG") ?? home + "/.docker") + "/config.json",
        ]
    }

    package var places: [String] { files }

    package func credentials(for registry: String, repository: String) throws(OCIError) -> Credentials? {
        for file in files {
            guard let data = try Self.contents(file) else { continue }
            guard let logins = StoredLogins(data) else {
                // A parser's message could quote the file.
                throw OCIError(
                    .unauthorized, file, "is not a file of registry credentials in JSON: remove it and log in again")
            }
            switch logins.entry(for: registry, repository: repository) {
            case .helper(let name):
                let helper = CredentialHelper(name: name, environment: environment, file: file)
                for server in RegistryName(registry).helperKeys {
                    if let found = try helper.credentials(for: server) { return found }
                }
            case .login(let login): return try Self.credentials(login, registry: registry, file: file)
            case nil: continue
            }
        }
        return nil
    }

    /// No file of logins is larger.
    private static let largestFile = 4 << 20

    /// Nil where there is no such file; any other failure to read it is an error.
    private static func contents(_ path: String) throws(OCIError) -> Data? {
        do throws(DiskError) {
            let file = try DiskFile(path, .read)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largestFile, alignment: 16)
            defer { buffer.deallocate() }
            let count = try file.read(buffer, at: 0)
            return Data(buffer.prefix(count))
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return nil }
            throw OCIError(.io, path, "\(error.message): it may hold credentials; REGISTRY_AUTH_FILE names another")
        }
    }

    private static func credentials(
        _ login: StoredLogins.Login, registry: String, file: String
    ) throws(OCIError) -> Credentials {
        if let token = login.identitytoken, !token.isEmpty { return Credentials(.identityToken(token), from: file) }
        if let user = login.username, let password = login.password, !user.isEmpty {
            return Credentials(.password(user: user, password: password), from: file)
        }
        guard let bytes = Data(base64Encoded: login.auth ?? ""), let text = String(data: bytes, encoding: .utf8),
            let colon = text.firstIndex(of: ":")
        else { throw OCIError(.unauthorized, file, "its entry for \(registry) is damaged: log in again") }
        // Docker pads the password with NUL bytes in places.
        let password = text[text.index(after: colon)...].trimmingCharacters(in: CharacterSet(charactersIn: "\0"))
        return Credentials(.password(user: String(text[..<colon]), password: password), from: file)
    }
}
