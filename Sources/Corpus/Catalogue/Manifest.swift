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
        var (prompt, seed, model, sampler): (String?, String?, String?, String?)
        var (adapter, tag): (String?, String?)
        var (steps, width, height): (Int?, Int?, Int?)
        var guidance: Double?
        var shape: [Int]?
        var (latent, pixels, recipe): (Digest?, Digest?, Digest?)
        var schedule: ScheduleDescription?
        guard scan.take("{") else { return nil }
        repeat {
            guard let name = scan.name() else { return nil }
            switch name {
            case "prompt": prompt = scan.string()
            case "seed": seed = scan.string()
            case "model": model = scan.string()
            case "sampler": sampler = scan.string()
            case "adapter": adapter = scan.string()
            case "tag": tag = scan.string()
            case "steps": steps = scan.integer()
            case "width": width = scan.integer()
            case "height": height = scan.integer()
            case "guidance": guidance = scan.number()
            case "latent_shape": shape = scan.integers()
            case "latent_sha256": latent = scan.digest()
            case "pixels_sha256": pixels = scan.digest()
            case "recipe_sha256": recipe = scan.digest()
            case "schedule": schedule = scan.schedule()
            default: return nil
            }
            if scan.hasFailed { return nil }
        } while scan.take(",")
        guard scan.take("}"), scan.isAtEnd, let prompt, let seed, let model, let sampler, let steps, let width,
            let height,
            let guidance, let shape, let latent, let pixels, let recipe
        else { return nil }
        (self.prompt, self.seed, self.model, self.sampler) = (prompt, seed, model, sampler)
        (self.adapter, self.tag, self.steps, self.width, self.height) = (adapter, tag, steps, width, height)
        (self.guidance, latent_shape, self.schedule) = (guidance, shape, schedule)
        (latent_sha256, pixels_sha256, recipe_sha256) = (latent, pixels, recipe)
    }
}
