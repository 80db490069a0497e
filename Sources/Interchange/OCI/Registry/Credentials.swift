/// What a registry knows a user by. Nothing of it is ever printed.
package struct Credentials: Sendable, Equatable, CustomStringConvertible {
    package enum Secret: Sendable, Equatable {
        case password(user: String, password: String)
        /// An OAuth2 refresh token, as `docker login` keeps for some registries.
        case identityToken(String)
    }

    let secret: Secret

    package init(_ secret: Secret) { self.secret = secret }

    package var description: String { "credentials" }
}

/// Where credentials come from.
package protocol CredentialSource: Sendable {
    /// - Parameter registry: host, and port where one is given.
    func credentials(for registry: String) throws(OCIError) -> Credentials?
}
