import Foundation
import HDF5

/// The rows that a sealed file gives the catalogue, worked out without it: any thread may prepare, one fills.
enum PreparedShard: Sendable {
    case samples(PreparedSamples)
    case scores(PreparedScores)
    case annotations(AnnotationShard)
    case vectors(VectorShard)

    init(_ sealed: SealedFile, scoring: any TraceScoring) throws(CorpusError) {
        switch try SealedContents(sealed) {
        case .scores(let shard): self = .scores(PreparedScores(shard, stamp: sealed.stamp, scoring))
        case .annotations(let shard): self = .annotations(shard)
        case .vectors(let shard): self = .vectors(shard)
        case .samples(let shard): self = .samples(try PreparedSamples(shard, scoring))
        }
    }
}

/// What samples of one command have in common.
package struct SampleOrigin: Hashable, Sendable {
    var model: ExactText
    var adapter: ExactText?
    var sampler: ExactText
    var steps: Int
    var guidance: Double
    var width, height: Int
    var tag, engine: ExactText?
    var latentShape: [Int]

    package init(
        model: String, adapter: String? = nil, sampler: String, steps: Int, guidance: Double, width: Int, height: Int,
        tag: String? = nil, engine: String? = nil, latentShape: [Int]
    ) {
        (self.model, self.adapter) = (ExactText(model), adapter.map { ExactText($0) })
        (self.sampler, self.steps) = (ExactText(sampler), steps)
        (self.guidance, self.width, self.height) = (guidance, width, height)
        (self.tag, self.latentShape) = (tag.map { ExactText($0) }, latentShape)
        self.engine = engine.map { ExactText($0) }
    }
}

package struct PreparedSamples: Sendable {
    package struct Row: Sendable {
        var id, recipe: Digest
        var prompt: String
        var seed: String
        /// Into ``origins``.
        var origin: Int
        var mi, standardError, reference: Double
        /// NaN for all but flow-matching models.
        var rf = Double.nan
        var guidedRF = Double.nan

        package init(
            id: Digest, recipe: Digest, prompt: String, seed: String, origin: Int, mi: Double, standardError: Double,
            reference: Double
        ) {
            (self.id, self.recipe, self.prompt, self.seed, self.origin) = (id, recipe, prompt, seed, origin)
            (self.mi, self.standardError, self.reference) = (mi, standardError, reference)
        }
    }

    let digest: Digest
    let stamp: FileStamp
    private(set) var origins: [SampleOrigin] = []
    private(set) var rows: [Row] = []

    /// Rows that no shard is behind, to measure a catalogue by.
    package init(synthetic rows: [Row], origins: [SampleOrigin], shard: Digest) {
        (self.rows, self.origins, digest) = (rows, origins, shard)
        stamp = FileStamp(size: 0, inode: 0, changed: 0)
    }

    init(_ shard: ShardReader, _ scoring: any TraceScoring) throws(CorpusError) {
        (digest, stamp) = (shard.digest, shard.stamp)
        var known: [SampleOrigin: Int] = [:]
        var last: Int?
        rows.reserveCapacity(shard.ids.count)
        let traces = try shard.traces()
        let flows = try shard.flows(0..<traces.count, lengths: traces.map(\.timesteps.count))
        let manifests = try shard.manifests()
        for (row, id) in shard.ids.enumerated() {
            let read = manifests.with(row) { bytes -> Manifest? in
                guard Digest(ofBytes: UnsafeRawBufferPointer(bytes)) == id else { return nil }
                return Manifest(bytes)
            }
            guard let manifest = read else {
                throw CorpusError(.damaged, digest.hex, "the manifest of sample \(id) cannot be understood")
            }
            let score = scoring.scores(
                timesteps: traces[row].timesteps, deltaSquared: traces[row].deltaSquared, schedule: manifest.schedule)
            let origin = SampleOrigin(
                model: manifest.model, adapter: manifest.adapter, sampler: manifest.sampler, steps: manifest.steps,
                guidance: manifest.guidance, width: manifest.width, height: manifest.height, tag: manifest.tag,
                engine: manifest.engine, latentShape: manifest.latent_shape)
            // Neighbors mostly have one origin, and comparing costs less than hashing.
            let isLast = last.map { origins[$0] == origin } ?? false
            let place = (isLast ? last : known[origin]) ?? origins.count
            if place == origins.count {
                known[origin] = place
                origins.append(origin)
            }
            last = place
            var made = Row(
                id: id, recipe: manifest.recipe_sha256, prompt: manifest.prompt, seed: manifest.seed, origin: place,
                mi: score.mi, standardError: score.standardError, reference: score.reference)
            if let flow = flows[row] {
                let score = scoring.scores(
                    flow: flow, deltaSquared: traces[row].deltaSquared, guidance: manifest.guidance)
                (made.rf, made.guidedRF) = (score.rf, score.guided)
                // `mi` is the estimate to rank by, whatever the model.
                (made.mi, made.standardError) = (score.rf, score.standardError)
            }
            rows.append(made)
        }
    }
}

struct PreparedScores: Sendable {
    struct Row: Sendable {
        var sample: Digest
        var mi, standardError, reference: Double
        /// Nil where no near misses were measured.
        var nearMisses: Int?
        var curves = CurveScores()
    }

    let digest: Digest
    let stamp: FileStamp
    let scorer: Scorer
    let rows: [Row]

    init(_ shard: ScoreShard, stamp: FileStamp, _ scoring: any TraceScoring) {
        (digest, self.stamp, scorer) = (shard.digest, stamp, shard.scorer)
        let schedule = shard.scorer.schedule
        rows = shard.records.map { record in
            let draws = record.draws.map {
                scoring.scores(timesteps: record.timesteps, deltaSquared: $0, schedule: schedule)
            }
            // A part of the timesteps is not an estimate of MI.
            let isWhole = shard.scorer.timesteps == nil && shard.scorer.settled == nil
            let mean = isWhole ? Self.mean(draws) : (.nan, .nan, .nan)
            var row = Row(
                sample: record.sample, mi: mean.mi, standardError: mean.standardError, reference: mean.reference)
            if let curves = record.curves {
                row.nearMisses = curves.negatives.count
                let isKept = shard.scorer.settled == nil || curves.errors.allSatisfy(\.isFinite)
                guard isKept else { return row }
                row.curves = scoring.scores(
                    curves: curves, timesteps: record.timesteps, draws: record.draws.count, schedule: schedule)
            }
            return row
        }
    }

    /// The mean of a record's draws; the error is that of the mean, where there are draws to compare.
    private static func mean(
        _ scores: [(mi: Double, standardError: Double, reference: Double)]
    ) -> (mi: Double, standardError: Double, reference: Double) {
        let count = Double(scores.count)
        guard count > 1 else { return scores.first ?? (.nan, .nan, .nan) }
        let mi = scores.reduce(0) { $0 + $1.mi } / count
        let reference = scores.reduce(0) { $0 + $1.reference } / count
        let variance = scores.reduce(0) { $0 + ($1.mi - mi) * ($1.mi - mi) } / (count - 1)
        return (mi, (variance / count).squareRoot(), reference)
    }
}
