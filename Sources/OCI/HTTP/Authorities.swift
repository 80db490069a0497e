import DiskAccess
import Foundation

/// The certificate authorities that a connection trusts.
enum Authorities {
    /// Where systems keep theirs.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]

    /// Those that SSL_CERT_FILE names, as OpenSSL and Go read it; nil for libcurl's own list, also where there is no such
    /// file.
    static func named(_ environment: [String: String]) throws(OCIError) -> Data? {
        guard let path = environment["SSL_CERT_FILE"] else { return nil }
        do throws(DiskError) { return try Disk.readIfPresent(path) } catch {
            throw OCIError(
                .io, path, "\(error.message); SSL_CERT_FILE names it: make it readable, or unset the variable")
        }
    }

    /// The system's authorities and those of a file.
    static func with(_ file: URL, _ environment: [String: String]) throws(OCIError) -> Data {
        let own: Data
        do { own = try Data(contentsOf: file) } catch {
            throw OCIError(.io, file.path, "cannot be read: give --ca-file a file of PEM certificates")
        }
        guard own.range(of: Data("-----BEGIN CERTIFICATE-----".utf8)) != nil else {
            throw OCIError(.io, file.path, "is not a file of PEM certificates")
        }
        let system =
            try named(environment) ?? bundles.lazy.compactMap { FileManager.default.contents(atPath: $0) }.first
        return (system ?? Data()) + Data("\n".utf8) + own
    }
}
