import CorpusStore
package import Foundation

/// An OCI image manifest that carries a selection: the selection's document as config, shards of
/// samples, of scores, of annotations and of vectors as layers.
package struct ArtifactManifest: Codable, Sendable, Equatable {
    package var schemaVersion = 2
    package var mediaType = MediaType.manifest
    package var artifactType: String? = MediaType.artifact
    package var config: Descriptor
    package var layers: [Descriptor]
    package var annotations: [String: String]?

    package init(config: Descriptor, layers: [Descriptor], annotations: [String: String]) {
        (self.config, self.layers, self.annotations) = (config, layers, annotations)
    }

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, mediaType, artifactType, config, layers, annotations
    }

    /// Reads a manifest of any artifact; media types that are not Attune's are refused.
    ///
    /// - Parameters:
    ///   - data: the manifest's bytes.
    ///   - subject: where the bytes come from, for errors.
    package init(data: Data, from subject: String) throws(OCIError) {
        let manifest: ArtifactManifest
        do {
            manifest = try JSONDecoder().decode(ArtifactManifest.self, from: data)
        } catch {
            throw OCIError(.malformed, subject, "the manifest is not an OCI image manifest (\(Self.reason(error)))")
        }
        guard manifest.schemaVersion == 2, manifest.config.mediaType == MediaType.selection else {
            throw OCIError(
                .malformed, subject, "holds \(manifest.artifactType ?? manifest.config.mediaType), not a selection")
        }
        for layer in manifest.layers where !MediaType.layers.contains(layer.mediaType) {
            throw OCIError(.malformed, subject, "has a layer of type \(layer.mediaType): update attune")
        }
        guard manifest.config.size >= 0, manifest.layers.allSatisfy({ $0.size > 0 }) else {
            throw OCIError(.malformed, subject, "the manifest states impossible sizes")
        }
        self = manifest
    }

    /// The same manifest always has the same bytes.
    package var data: Data {
        get throws(OCIError) {
            do {
                return try JSONEncoder.stable.encode(self)
            } catch {
                throw OCIError(.malformed, "manifest", "cannot be written as JSON: \(error)")
            }
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "no \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            context.debugDescription
        default: "\(error)"
        }
    }
}

/// The kinds of thing that Attune puts into a registry.
package enum MediaType {
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let artifact = "application/vnd.attune.selection.v1"
    package static let selection = "application/vnd.attune.selection.v1+json"
    package static let shard = "application/vnd.attune.shard.v1+hdf5"
    package static let scores = "application/vnd.attune.scores.v1+hdf5"
    package static let annotations = "application/vnd.attune.annotations.v1+hdf5"
    package static let vectors = "application/vnd.attune.vectors.v1+hdf5"
    static let layers: Set = [shard, scores, annotations, vectors]
}
