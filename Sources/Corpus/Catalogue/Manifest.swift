import Foundation

/// A manifest as it is read back from a shard.
struct Manifest: Decodable {
    var prompt: String
    var seed: String
    var model: String
    var adapter: String?
    var sampler: String
    var steps: Int
    var guidance: Double
    var width, height: Int
    var latent_shape: [Int]
    var latent_sha256: Digest
    var pixels_sha256: Digest
    var recipe_sha256: Digest
    var schedule: ScheduleDescription?
    var tag: String?
    var source_sha256: Digest?
    var source_fit, source_path, source_url: String?
}
