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
    var negative_prompt, mi_baseline: String?
    var clip_skip: Int?
    var ignored_config: [String]?
    var precision, engine: String?
    /// Only the slow reader knows it.
    var pruning: CandidatePruning?

    /// Nil for what is not a manifest.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let quick = Manifest(quick: bytes) {
            self = quick
        } else if let slow = try? JSONDecoder().decode(Manifest.self, from: Data(bytes)) {
            self = slow
        } else {
            return nil
        }
        // What could not be written again as canonical JSON.
        let numbers = [guidance] + (schedule.map { [$0.betaStart, $0.betaEnd] } ?? [])
        guard numbers.allSatisfy(\.isFinite), schedule?.isPlausible != false else { return nil }
    }
}

extension Manifest {
    /// Reads the spelling that ``CanonicalJSON`` gives; nil for any other, even where it is JSON.
    private init?(quick bytes: UnsafeBufferPointer<UInt8>) {
        var scan = ManifestScanner(bytes)
        // Members are sorted by name, and those that may be missing are looked for where they would be.
        guard scan.take("{") else { return nil }
        adapter = scan.member("adapter") ? scan.string() : nil
        clip_skip = scan.member("clip_skip") ? scan.integer() : nil
        engine = scan.member("engine") ? scan.string() : nil
        guard scan.member("guidance"), let guidance = scan.number(), scan.member("height"), let height = scan.integer(),
            scan.member("latent_sha256"), let latent = scan.digest(),
            scan.member("latent_shape"), let shape = scan.integers()
        else { return nil }
        mi_baseline = scan.member("mi_baseline") ? scan.string() : nil
        guard scan.member("model"), let model = scan.string() else { return nil }
        negative_prompt = scan.member("negative_prompt") ? scan.string() : nil
        guard scan.member("pixels_sha256"), let pixels = scan.digest() else { return nil }
        precision = scan.member("precision") ? scan.string() : nil
        guard scan.member("prompt"), let prompt = scan.string(),
            scan.member("recipe_sha256"), let recipe = scan.digest(), scan.member("sampler"),
            let sampler = scan.string()
        else { return nil }
        schedule = scan.member("schedule") ? scan.schedule() : nil
        guard scan.member("seed"), let seed = scan.string() else { return nil }
        source_fit = scan.member("source_fit") ? scan.string() : nil
        source_path = scan.member("source_path") ? scan.string() : nil
        source_sha256 = scan.member("source_sha256") ? scan.digest() : nil
        source_url = scan.member("source_url") ? scan.string() : nil
        guard scan.member("steps"), let steps = scan.integer() else { return nil }
        tag = scan.member("tag") ? scan.string() : nil
        guard scan.member("width"), let width = scan.integer(), scan.take("}"), scan.isAtEnd, !scan.hasFailed else {
            return nil
        }
        (self.prompt, self.seed, self.model, self.sampler, self.steps) = (prompt, seed, model, sampler, steps)
        (self.guidance, self.width, self.height, latent_shape) = (guidance, width, height, shape)
        (latent_sha256, pixels_sha256, recipe_sha256) = (latent, pixels, recipe)
    }
}
