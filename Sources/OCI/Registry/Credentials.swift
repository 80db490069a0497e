/// What a registry knows a user by. Nothing of it is ever printed.
package struct Credentials: Sendable, Equatable, CustomStringConvertible {
    package enum Secret: Sendable, Equatable {
        case password(user: String, password: String)
        /// An OAuth2 refresh token, as `docker login` keeps for some registries.
        case identityToken(String)
    }

    let secret: Secret
    /// The file or program that they are from, for messages.
    package let source: String

    package init(_ secret: Secret, from source: String = "the caller") { (self.secret, self.source) = (secret, source) }

    package var description: String { "credentials" }
}

/// Where credentials come from.
package protocol CredentialSource: Sendable {
    /// - Parameters:
    ///   - registry: host, and port where one is given.
    ///   - repository: empty for a token service.
    /// - Throws: where something that could hold them cannot be read.
    func credentials(for registry: String, repository: String) throws(OCIError) -> Credentials?

    /// Where it looks, for messages.
    var places: [String] { get }
}
