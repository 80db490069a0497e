import ArgumentParser
import Foundation
import OCI

/// How to reach a registry.
struct RegistryOptions: ParsableArguments {
    /// What the help of each command that talks to a registry says.
    static let discussion = """
        Credentials are those of `docker login`, `podman login` or `skopeo login`, credential helpers included; \
        REGISTRY_AUTH_FILE names another file. Proxies are those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; \
        `attune doctor` shows them.
        """

    @Flag(help: "Talk to the registry without TLS. A registry on this machine is asked what it speaks.")
    var plainHttp = false

    @Option(
        help: "A PEM file of further certificate authorities to trust.",
        completion: .file(extensions: ["pem", "crt"]))
    var caFile: String?

    /// Opens what a reference names, and hands it to `body`.
    func withStore<Result: Sendable>(
        _ reference: String, creating: Bool, _ body: (any ArtifactStore) async throws -> Result
    ) async throws -> Result {
        switch try ArtifactLocation(reference) {
        case .layout(let folder, let tag):
            return try await body(OCILayout(folder, tag: tag, creating: creating))
        case .registry(let reference):
            let transport = try HTTPTransport(certificates: caFile.map { URL(fileURLWithPath: $0) })
            do {
                let client = try await RegistryClient(
                    reference, transport: transport, credentials: StoredCredentials(), plainHTTP: plainHttp)
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
