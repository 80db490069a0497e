import ArgumentParser
import Foundation
import Workflows

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

    /// For a workflow.
    var access: RegistryAccess {
        RegistryAccess(plainHTTP: plainHttp, certificates: caFile.map { URL(fileURLWithPath: $0) })
    }
}
