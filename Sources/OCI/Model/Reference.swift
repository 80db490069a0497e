import CorpusStore
package import Foundation

/// Where an artifact is: in a registry, or in an OCI layout on disk.
package enum ArtifactLocation: Sendable, Equatable {
    case registry(RegistryReference)
    /// `oci:DIR[:tag]`.
    case layout(URL, tag: String)

    /// - Parameter text: `[registry/]repository[:tag|@sha256:…]` or `oci:DIR[:tag]`; the tag defaults to `latest`.
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

/// `host[:port]/repository[:tag]` or `…@sha256:<hex>`, read as docker reads it: without a host it is on Docker Hub, and one
/// word alone in Docker Hub's `library`.
package struct RegistryReference: Sendable, Equatable, CustomStringConvertible {
    package enum Version: Sendable, Equatable {
        case tag(String)
        case digest(BlobDigest)
    }

    /// Host, and port where one is given; `docker.io` for Docker Hub.
    package let registry: String
    package let repository: String
    package let version: Version

    package init(_ text: String) throws(OCIError) {
        func wrong(_ why: String) -> OCIError {
            OCIError(.badReference, text, "\(why); expected registry.example.org/team/name:tag or oci:DIR")
        }
        var rest = text[...]
        // As skopeo writes references to registries.
        if rest.hasPrefix("docker://") { rest = rest.dropFirst("docker://".count) }
        if let first = rest.first, "./~".contains(first) { throw wrong("looks like a folder: write oci:\(text)") }
        var digest: BlobDigest?
        if let at = rest.lastIndex(of: "@") {
            digest = BlobDigest(String(rest[rest.index(after: at)...]))
            guard digest != nil else { throw wrong("has a digest that is not sha256:<64 hexadecimal digits>") }
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        if let tag, !Self.isTag(tag) { throw wrong("has the impossible tag '\(tag)'") }
        // A digest beside a tag is the one that counts.
        version = digest.map { .digest($0) } ?? .tag(tag ?? "latest")
        let (host, path) = Self.split(rest)
        guard Self.isHost(host) else { throw wrong("'\(host)' is not a registry's host") }
        let isOfficial = host == DockerHub.name && !path.contains("/")
        (registry, repository) = (host, isOfficial ? "\(DockerHub.officialNamespace)/\(path)" : path)
        guard Self.isRepository(path) else { throw wrong("'\(path)' is not a repository's name") }
    }

    /// Docker's rule: a first part with a dot, a colon or a capital, or `localhost`, is a host.
    private static func split(_ name: Substring) -> (host: String, path: String) {
        guard let slash = name.firstIndex(of: "/") else { return (DockerHub.name, String(name)) }
        let first = String(name[..<slash])
        let isHost = first.contains(".") || first.contains(":") || first == "localhost" || first != first.lowercased()
        guard isHost else { return (DockerHub.name, String(name)) }
        return (first == "index.docker.io" ? DockerHub.name : first, String(name[name.index(after: slash)...]))
    }

    /// Host and port that requests go to.
    var authority: String { registry == DockerHub.name ? DockerHub.host : registry }

    static func isTag(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]{0,127}/) != nil
    }

    private static func isHost(_ text: String) -> Bool {
        if text.wholeMatch(of: /\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?/) != nil { return true }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let labels = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?/) != nil }
            && parts.dropFirst().allSatisfy { $0.wholeMatch(of: /[0-9]{1,5}/) != nil }
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
