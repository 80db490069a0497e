import Foundation
import GRDB

/// How sealed files become rows, within a transaction that the caller holds.
struct CatalogueFilling {
    let database: Database
    let scoring: any TraceScoring

    /// Takes in a file of either kind.
    func add(_ sealed: consuming SealedFile) throws {
        if sealed.format == ScoreShard.format {
            try add(ScoreShard(sealed))
        } else {
            try add(ShardReader(sealed))
        }
    }

    /// Takes in samples; one that is there already keeps its place.
    private func add(_ shard: consuming ShardReader) throws {
        let (digest, ids) = (shard.digest.hex, shard.ids)
        let traces = try shard.traces()
        let decoder = JSONDecoder()
        let manifests = try shard.manifests.enumerated().map { row, data in
            guard let manifest = try? decoder.decode(Manifest.self, from: data) else {
                throw CorpusError(.damaged, digest, "the manifest of sample \(ids[row]) cannot be understood")
            }
            return manifest
        }
        let insert = try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO samples (id, recipe, prompt, seed, model, adapter, sampler, steps, guidance, width,
                  height, tag, mi, mi_se, mi_reference, mi_source, latent_shape, shard, row)
                VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
                """)
        for (row, manifest) in manifests.enumerated() {
            let trace = traces[row]
            let score = scoring.scores(
                timesteps: trace.timesteps, deltaSquared: trace.deltaSquared, schedule: manifest.schedule)
            let values: [(any DatabaseValueConvertible)?] = [
                ids[row].hex, manifest.recipe_sha256.hex, manifest.prompt, Self.seed(manifest.seed), manifest.model,
                manifest.adapter, manifest.sampler, manifest.steps, manifest.guidance, manifest.width, manifest.height,
                manifest.tag, score.mi, score.standardError, score.reference, score.mi.isNaN ? nil : "generation",
                manifest.latent_shape.map(String.init).joined(separator: "x"), digest, row,
            ]
            try insert.execute(arguments: StatementArguments(values))
        }
        if try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM score)") == true { try useScores(of: ids) }
        try enter(digest, samples: ids.count)
    }

    /// Takes in Monte-Carlo traces, whether or not their samples have been seen.
    private func add(_ shard: consuming ScoreShard) throws {
        let (digest, scorer) = (shard.digest.hex, shard.scorer)
        let name = scorer.digest.hex
        let insert = try database.cachedStatement(sql: "INSERT OR IGNORE INTO score VALUES (?,?,?,?,?,?,?)")
        for record in shard.records {
            let score = mean(record, scorer.schedule)
            try insert.execute(arguments: [
                record.sample.hex, name, digest, scorer.draws, score.mi, score.standardError, score.reference,
            ])
        }
        try useScores(of: shard.records.map(\.sample))
        try enter(digest, samples: 0)
    }

    /// The mean of a record's draws; the error is that of the mean, where there are draws to compare.
    private func mean(
        _ record: ScoreRecord, _ schedule: ScheduleDescription
    ) -> (mi: Double, standardError: Double, reference: Double) {
        let scores = record.draws.map {
            scoring.scores(timesteps: record.timesteps, deltaSquared: $0, schedule: schedule)
        }
        let count = Double(scores.count)
        guard count > 1 else { return scores.first ?? (.nan, .nan, .nan) }
        let mi = scores.reduce(0) { $0 + $1.mi } / count
        let reference = scores.reduce(0) { $0 + $1.reference } / count
        let variance = scores.reduce(0) { $0 + ($1.mi - mi) * ($1.mi - mi) } / (count - 1)
        return (mi, (variance / count).squareRoot(), reference)
    }

    /// Fills the `mc` columns from the score with most draws, and `mi` where generation left no trace.
    private func useScores(of ids: [Digest]) throws {
        let best = try database.cachedStatement(
            sql: """
                UPDATE samples SET (mc, mc_se, mc_reference, mc_draws) =
                  (SELECT mi, mi_se, mi_reference, draws FROM score WHERE sample = samples.id
                   ORDER BY draws DESC, shard LIMIT 1)
                WHERE id = ?
                """)
        let fallback = try database.cachedStatement(
            sql: """
                UPDATE samples SET mi = mc, mi_se = mc_se, mi_reference = mc_reference, mi_source = 'monte-carlo'
                WHERE id = ? AND mi_source IS NOT 'generation' AND mc IS NOT NULL
                """)
        for id in ids {
            try best.execute(arguments: [id.hex])
            try fallback.execute(arguments: [id.hex])
        }
    }

    private func enter(_ digest: String, samples: Int) throws {
        try database.execute(sql: "INSERT OR IGNORE INTO shard VALUES (?, ?)", arguments: [digest, samples])
    }

    /// A number where SQLite has one that large; texts sort after all numbers, as the larger seeds should.
    private static func seed(_ text: String) -> any DatabaseValueConvertible {
        if let number = Int64(text) { return number }
        return text
    }
}
