import Foundation

/// One file of logins, as docker, podman and skopeo write it, and which of its entries is about a repository.
struct StoredLogins {
    struct Login: Decodable {
        var auth, username, password, identitytoken: String?

        /// `docker login` leaves an empty entry where a credential helper has the secret.
        var isEmpty: Bool { [auth, username, identitytoken].allSatisfy { $0?.isEmpty ?? true } }
    }

    enum Entry {
        /// The name of a `docker-credential-…` program.
        case helper(String)
        case login(Login)
    }

    private struct Document: Decodable {
        var auths: [String: Login?]?
        var credHelpers: [String: String]?
        var credsStore: String?
    }

    private let document: Document

    /// Nil for what is not such a file; an empty one knows nothing.
    init?(_ data: Data) {
        if data.allSatisfy({ $0 <= 0x20 }) {
            document = Document()
        } else if let document = try? JSONDecoder().decode(Document.self, from: data) {
            self.document = document
        } else {
            return nil
        }
    }

    /// What is said about a repository: by its credential helper, by the longest key that names it or a namespace above
    /// it (`host/team/set`, `host/team`, `host`), by a key in the form of an address, or by the store of all credentials.
    func entry(for registry: String, repository: String) -> Entry? {
        let name = RegistryName(registry)
        let helper = document.credHelpers?.sorted { $0.key < $1.key }.first { RegistryName(key: $0.key) == name }
        if let helper, !helper.value.isEmpty { return .helper(helper.value) }
        let logins = (document.auths ?? [:]).compactMapValues { $0 }.filter { !$0.value.isEmpty }
            .sorted { $0.key < $1.key }
        var path = repository.split(separator: "/").map { String($0) }
        while true {
            let wanted = RegistryName(registry, path: path)
            // As it stands first, in other forms after that.
            let keys = logins.filter { RegistryName(key: $0.key) == wanted }
            if let login = keys.first(where: { $0.key == wanted.text }) ?? keys.first { return .login(login.value) }
            guard path.popLast() != nil else { break }
        }
        return document.credsStore.flatMap { $0.isEmpty ? nil : .helper($0) }
    }
}

/// A registry, or a namespace in it, as credentials are filed under: without scheme, in lower case, Docker Hub's names
/// taken for one.
struct RegistryName: Equatable {
    let host: String
    let path: [String]

    init(_ host: String, path: [String] = []) {
        let lower = host.lowercased()
        self.host = DockerHub.names.contains(lower) ? DockerHub.name : lower
        self.path = path
    }

    /// - Parameter key: `host`, `host:port`, `host/namespace`, or an address such as `https://host/v1/`, of which the host
    ///   counts.
    init(key: String) {
        var rest = Substring(key)
        var isAddress = false
        for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            isAddress = true
        }
        let parts = rest.split(separator: "/").map { String($0) }
        let path = Array(parts.dropFirst())
        let isVersion = path == ["v1"] || path == ["v2"]
        self.init(parts.first ?? "", path: isAddress || isVersion ? [] : path)
    }

    var text: String { ([host] + path).joined(separator: "/") }

    /// The names under which credential helpers may have it.
    var helperKeys: [String] { host == DockerHub.name ? [DockerHub.credentialsKey, host] : [host] }
}
