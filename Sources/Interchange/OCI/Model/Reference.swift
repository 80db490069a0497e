import Corpus
package import Foundation

/// Where an artifact is: in a registry, or in an OCI image layout on disk.
package enum ArtifactLocation: Sendable, Equatable {
    case registry(RegistryReference)
    /// `oci:DIR[:tag]`.
    case layout(URL, tag: String)

    /// - Parameter text: `registry/repository[:tag|@sha256:…]` or `oci:DIR[:tag]`; the tag defaults to `latest`.
    package init(_ text: String) throws(OCIError) {
        guard text.hasPrefix("oci:") else {
            self = .registry(try RegistryReference(text))
            return
        }
        var path = String(text.dropFirst(4))
        var tag = "latest"
        // A colon in the last part of the path begins the tag.
        if let colon = path.lastIndex(of: ":"), !path[colon...].contains("/") {
            tag = String(path[path.index(after: colon)...])
            path = String(path[..<colon])
        }
        guard !path.isEmpty, RegistryReference.isTag(tag) else {
            throw OCIError(.badReference, text, "is not oci:DIR or oci:DIR:TAG")
        }
        self = .layout(URL(fileURLWithPath: path, isDirectory: true), tag: tag)
    }
}

/// `host[:port]/repository[:tag]` or `…@sha256:<hex>`.
package struct RegistryReference: Sendable, Equatable, CustomStringConvertible {
    package enum Version: Sendable, Equatable {
        case tag(String)
        case digest(BlobDigest)
    }

    /// Host, and port where one is given.
    package let registry: String
    package let repository: String
    package let version: Version

    package init(_ text: String) throws(OCIError) {
        func wrong(_ why: String) -> OCIError {
            OCIError(.badReference, text, "\(why); expected registry.example.org/team/name:tag or oci:DIR")
        }
        guard let slash = text.firstIndex(of: "/") else { throw wrong("names no registry") }
        registry = String(text[..<slash])
        var rest = text[text.index(after: slash)...]
        if let at = rest.firstIndex(of: "@") {
            guard let digest = BlobDigest(String(rest[rest.index(after: at)...])) else {
                throw wrong("has a digest that is not sha256:<64 hexadecimal digits>")
            }
            version = .digest(digest)
            rest = rest[..<at]
        } else if let colon = rest.lastIndex(of: ":") {
            version = .tag(String(rest[rest.index(after: colon)...]))
            rest = rest[..<colon]
        } else {
            version = .tag("latest")
        }
        repository = String(rest)
        if case .tag(let tag) = version, !Self.isTag(tag) { throw wrong("has the impossible tag '\(tag)'") }
        guard Self.isHost(registry) else { throw wrong("'\(registry)' is not a registry's host") }
        guard Self.isRepository(repository) else { throw wrong("'\(repository)' is not a repository's name") }
    }

    static func isTag(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]{0,127}/) != nil
    }

    private static func isHost(_ text: String) -> Bool {
        // A first part without dot or port could be a repository of some default registry; there is no default here.
        (text.contains(".") || text.contains(":") || text == "localhost")
            && text.wholeMatch(of: /([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?/) != nil
    }

    private static func isRepository(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.wholeMatch(of: /[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*/) != nil
    }

    /// The host without its port.
    package var host: String { Self.host(of: registry) }

    static func host(of registry: String) -> String {
        if registry.hasPrefix("["), let end = registry.firstIndex(of: "]") {
            return String(registry[registry.index(after: registry.startIndex)..<end])
        }
        return String(registry.prefix { $0 != ":" })
    }

    /// The tag, or the digest.
    package var versionText: String {
        switch version {
        case .tag(let tag): tag
        case .digest(let digest): digest.description
        }
    }

    package var description: String {
        switch version {
        case .tag(let tag): "\(registry)/\(repository):\(tag)"
        case .digest(let digest): "\(registry)/\(repository)@\(digest)"
        }
    }
}
