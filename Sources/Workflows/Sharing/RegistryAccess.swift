package import Foundation
package import OCI

/// How to reach a registry.
package struct RegistryAccess: Sendable {
    /// Talk to the registry without TLS. A registry on this machine is asked what it speaks.
    package var plainHTTP = false
    /// A PEM file of further certificate authorities to trust.
    package var certificates: URL?

    package init(plainHTTP: Bool = false, certificates: URL? = nil) {
        (self.plainHTTP, self.certificates) = (plainHTTP, certificates)
    }

    /// Opens what a reference names, and hands it to `body`.
    ///
    /// - Parameters:
    ///   - reference: as ``ArtifactLocation`` reads it.
    ///   - creating: whether an OCI layout that is not there is made.
    /// - Throws: ``OCIError``, and what `body` throws.
    package func withStore<Result: Sendable>(
        _ reference: String, creating: Bool, _ body: (any ArtifactStore) async throws -> Result
    ) async throws -> Result {
        switch try ArtifactLocation(reference) {
        case .layout(let folder, let tag):
            return try await body(OCILayout(folder, tag: tag, creating: creating))
        case .registry(let reference):
            let transport = try HTTPTransport(certificates: certificates)
            do {
                let client = try await RegistryClient(
                    reference, transport: transport, credentials: StoredCredentials(), plainHTTP: plainHTTP)
                let result = try await body(RegistryStore(client))
                transport.close()
                return result
            } catch {
                transport.close()
                throw error
            }
        }
    }
}
