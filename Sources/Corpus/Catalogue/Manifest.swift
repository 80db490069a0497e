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
}

/// Turns traces into the catalogue's score columns. The corpus keeps traces and knows no estimator; who opens it brings
/// them.
package protocol TraceScoring: Sendable {
    /// - Returns: values for the columns `mi`, `mi_se` and `mi_reference`; NaN where a trace has no usable step.
    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double)
}
