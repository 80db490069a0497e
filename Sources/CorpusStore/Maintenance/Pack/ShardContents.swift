import HDF5

/// What `pack` must know of a shard before it writes it again.
extension ShardReader {
    /// Bytes of manifests, images and latents before compression: they add up when shards are merged.
    var weight: Int {
        get throws(CorpusError) {
            var floats = 0
            let manifests = try manifests()
            for row in ids.indices {
                guard let manifest = manifests.with(row, { Manifest($0) }) else {
                    throw CorpusError(.damaged, ids[row].hex, "the sample's manifest cannot be read")
                }
                floats += manifest.latent_shape.reduce(1, *)
            }
            return storedBytes + 4 * floats
        }
    }
}

extension ShardReader {
    private static let known: [String: Set<String>] = [
        "/": ["samples", "prompts", "images", "latents", "traces"],
        "/samples": ["id", "manifest", "manifest_offset", "prompt", "latent_row"],
        "/prompts": ["text", "text_offset"],
        "/images": ["png", "offset"],
        "/traces": ["timestep", "delta_sq", "sigma", "velocity_delta"],
    ]

    /// - Throws: ``CorpusError`` for a shard with datasets that this version does not know: it would lose them.
    func requireKnownContents() throws(CorpusError) {
        for (group, datasets) in Self.known {
            for member in try members(of: group) where !datasets.contains(member) {
                throw CorpusError(
                    .newerFormat, digest.hex, "the shard has \(group)/\(member), which this version does not know")
            }
        }
    }
}
