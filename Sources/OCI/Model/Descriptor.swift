package import CorpusStore

/// What a manifest says of a blob: its kind, its digest and its size. Nothing of the blob counts before both are checked.
package struct Descriptor: Codable, Sendable, Equatable {
    package var mediaType: String
    package var digest: BlobDigest
    package var size: Int
    package var annotations: [String: String]?
    /// In an OCI layout's index: what kind of artifact the manifest is.
    package var artifactType: String?

    package init(
        mediaType: String, digest: Digest, size: Int, annotations: [String: String]? = nil, artifactType: String? = nil
    ) {
        self.mediaType = mediaType
        self.digest = BlobDigest(digest)
        self.size = size
        self.annotations = annotations
        self.artifactType = artifactType
    }
}

/// A digest in OCI's spelling, `sha256:<hex>`; no other algorithm is taken.
package struct BlobDigest: Codable, Hashable, Sendable, CustomStringConvertible {
    package let sha256: Digest

    package init(_ sha256: Digest) { self.sha256 = sha256 }

    package init?(_ text: String) {
        guard text.hasPrefix("sha256:"), let digest = Digest(hex: String(text.dropFirst(7))) else { return nil }
        self.init(digest)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = BlobDigest(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not a SHA-256 digest")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { "sha256:\(sha256.hex)" }
}
