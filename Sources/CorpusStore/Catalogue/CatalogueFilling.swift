import Foundation
import GRDB
import HDF5

/// How prepared files become rows, within a transaction that the caller holds.
final class CatalogueFilling {
    let database: Database
    /// False while a catalogue is filled from nothing: samples are then looked at together, at the end.
    private let isIndexed: Bool
    private let insertSample, insertScore, findPrompt, insertPrompt, findOrigin, insertOrigin: RowStatement
    private var prompts: [ExactText: Int64] = [:]
    /// Candidates of one prompt come one after the other.
    private var lastPrompt: (text: ExactText, key: Int64)?
    private var origins: [SampleOrigin: Int64] = [:]

    /// Prompts to remember; the table knows the others.
    private static let mostPrompts = 500_000

    init(database: Database, isIndexed: Bool) throws {
        (self.database, self.isIndexed) = (database, isIndexed)
        insertSample = try RowStatement(
            """
            INSERT \(isIndexed ? "OR IGNORE" : "") INTO sample (id, recipe, prompt, origin, seed, shard, row,
              mi, mi_se, mi_reference, mi_source, rf, rf_cfg) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
            """, database)
        insertScore = try RowStatement("INSERT OR IGNORE INTO score VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", database)
        findPrompt = try RowStatement("SELECT key FROM prompt WHERE text = ?", database)
        insertPrompt = try RowStatement("INSERT INTO prompt (text) VALUES (?)", database)
        findOrigin = try RowStatement(
            """
            SELECT key FROM origin WHERE model = ? AND adapter IS ? AND sampler = ? AND steps = ? AND guidance = ?
              AND width = ? AND height = ? AND tag IS ? AND latent_shape = ? AND engine IS ?
            """, database)
        insertOrigin = try RowStatement(
            """
            INSERT INTO origin (model, adapter, sampler, steps, guidance, width, height, tag, latent_shape, engine)
            VALUES (?,?,?,?,?,?,?,?,?,?)
            """, database)
    }

    /// Adds a file; a sample that is already present keeps its place.
    func add(_ shard: PreparedShard) throws {
        switch shard {
        case .samples(let samples): try add(samples)
        case .scores(let scores): try add(scores)
        case .annotations(let annotations): try add(annotations)
        case .vectors(let vectors): try add(vectors)
        }
    }

    private func add(_ shard: PreparedSamples) throws {
        guard let key = try enter(shard.digest, shard.stamp, samples: shard.rows.count) else { return }
        let origins = try shard.origins.map { try self.origin($0) }
        for (index, row) in shard.rows.enumerated() {
            let prompt = try prompt(ExactText(row.prompt))
            try insertSample.run { values in
                values.set(1, row.id)
                values.set(2, row.recipe)
                values.set(3, prompt)
                values.set(4, origins[row.origin])
                // A number where SQLite has one that large; texts sort after all numbers, as the larger seeds should.
                if let seed = Int64(row.seed) { values.set(5, seed) } else { values.set(5, row.seed) }
                values.set(6, key)
                values.set(7, index)
                values.set(8, row.mi)
                values.set(9, row.standardError)
                values.set(10, row.reference)
                values.set(11, row.mi.isNaN ? nil : "generation")
                values.set(12, row.rf)
                values.set(13, row.guidedRF)
            }
        }
        if isIndexed, try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM score)") == true {
            try useScores(of: "shard = \(key)")
        }
    }

    /// Adds Monte-Carlo traces, whether or not their samples have been seen.
    private func add(_ shard: PreparedScores) throws {
        guard try enter(shard.digest, shard.stamp, samples: 0) != nil else { return }
        let scorer = shard.scorer.digest.hex
        for row in shard.rows {
            try insertScore.run { values in
                values.set(1, row.sample)
                values.set(2, scorer)
                values.set(3, shard.digest)
                values.set(4, shard.scorer.draws)
                values.set(5, row.mi)
                values.set(6, row.standardError)
                values.set(7, row.reference)
                values.set(8, row.curves.contrast)
                values.set(9, row.curves.contrastError)
                values.set(10, row.curves.contrastHard)
                values.set(11, row.curves.pointwise)
                if let count = row.nearMisses { values.set(12, count) } else { values.set(12, nil as String?) }
            }
        }
        if isIndexed { try useScores(of: "id IN (SELECT sample FROM score WHERE shard = x'\(shard.digest.hex)')") }
    }

    /// What a catalogue that was filled from nothing still needs.
    func finish() throws {
        do {
            try database.execute(sql: CatalogueSchema.indexes)
        } catch DatabaseError.SQLITE_CONSTRAINT_UNIQUE {
            // Two shards may hold one sample, as a killed `pack` leaves them.
            try database.execute(sql: "DELETE FROM sample WHERE key NOT IN (SELECT min(key) FROM sample GROUP BY id)")
            try database.execute(sql: CatalogueSchema.indexes)
        }
        try database.execute(sql: CatalogueSchema.statistics)
        try useScores(of: "id IN (SELECT sample FROM score)")
    }

    /// Fills the `mc` columns from the score with most draws, those of near misses as ``useContrast(of:)`` says, and `mi`
    /// where generation left no trace.
    private func useScores(of which: String) throws {
        try database.execute(
            sql: """
                UPDATE sample SET (mc, mc_se, mc_reference, mc_draws) =
                  (SELECT mi, mi_se, mi_reference, draws FROM score WHERE sample = sample.id
                   ORDER BY mi IS NULL, draws DESC, scorer, shard LIMIT 1)
                WHERE \(which) AND id IN (SELECT sample FROM score WHERE mi IS NOT NULL)
                """)
        try useContrast(of: which)
        try database.execute(
            sql: """
                UPDATE sample SET mi = mc, mi_se = mc_se, mi_reference = mc_reference, mi_source = 'monte-carlo'
                WHERE \(which) AND mi_source IS NOT 'generation' AND mc IS NOT NULL
                """)
    }

    /// Contrast depends on how many near misses a prompt was compared with, so images of one prompt must all be measured in
    /// the same way: the one that most of them have, then the one with most draws and near misses.
    private func useContrast(of which: String) throws {
        let prompts = "SELECT prompt FROM sample WHERE \(which)"
        try database.execute(
            sql: """
                CREATE TEMP TABLE coverage (
                  prompt INTEGER, scorer TEXT, samples INTEGER, PRIMARY KEY (prompt, scorer)) WITHOUT ROWID;
                INSERT INTO coverage SELECT prompt, scorer, count(DISTINCT id) FROM sample JOIN score ON sample = id
                  WHERE score.near_misses NOTNULL AND score.contrast NOTNULL AND prompt IN (\(prompts)) GROUP BY prompt, scorer;
                UPDATE sample SET (contrast, contrast_se, contrast_hard, pointwise, near_misses) =
                  (SELECT s.contrast, s.contrast_se, s.contrast_hard, s.pointwise, s.near_misses FROM score s
                   LEFT JOIN coverage ON coverage.prompt = sample.prompt AND coverage.scorer = s.scorer
                   WHERE s.sample = sample.id AND s.near_misses NOTNULL
                   ORDER BY coverage.samples DESC, s.draws DESC, s.near_misses DESC, s.scorer, s.shard LIMIT 1)
                WHERE prompt IN (\(prompts)) AND id IN (SELECT sample FROM score WHERE near_misses IS NOT NULL);
                DROP TABLE coverage;
                """)
    }

    /// - Returns: the shard's key, nil where it has been added before.
    func enter(_ digest: Digest, _ stamp: FileStamp, samples: Int) throws -> Int64? {
        try database.execute(
            sql: "INSERT OR IGNORE INTO shard (digest, samples, size, inode, changed, taken) VALUES (?,?,?,?,?,?)",
            arguments: [
                Data(digest.raw), samples, stamp.size, stamp.inode, stamp.changed, Int(Date().timeIntervalSince1970),
            ])
        return database.changesCount > 0 ? database.lastInsertedRowID : nil
    }

    /// Forgets the scores of a file that has gone: what the other files say counts now.
    func dropScores(in shard: Digest) throws {
        let scored = "SELECT sample FROM score WHERE shard = x'\(shard.hex)'"
        guard try Bool.fetchOne(database, sql: "SELECT EXISTS (\(scored))") == true else { return }
        try database.execute(
            sql: """
                UPDATE sample SET mi = NULL, mi_se = NULL, mi_reference = NULL, mi_source = NULL
                WHERE id IN (\(scored)) AND mi_source IS 'monte-carlo';
                UPDATE sample SET mc = NULL, mc_se = NULL, mc_reference = NULL, mc_draws = NULL, contrast = NULL,
                  contrast_se = NULL, contrast_hard = NULL, pointwise = NULL, near_misses = NULL WHERE id IN (\(scored));
                CREATE TEMP TABLE dropped AS \(scored);
                DELETE FROM score WHERE shard = x'\(shard.hex)';
                """)
        try useScores(of: "id IN (SELECT sample FROM dropped)")
        try database.execute(sql: "DROP TABLE dropped")
    }

    private func prompt(_ text: ExactText) throws -> Int64 {
        if let lastPrompt, lastPrompt.text == text { return lastPrompt.key }
        let key = try keyOfPrompt(text)
        lastPrompt = (text, key)
        return key
    }

    private func keyOfPrompt(_ text: ExactText) throws -> Int64 {
        if let key = prompts[text] { return key }
        if prompts.count >= Self.mostPrompts { prompts.removeAll(keepingCapacity: true) }
        var key = try findPrompt.first { $0.set(1, text.text) }
        if key == nil {
            try insertPrompt.run { $0.set(1, text.text) }
            key = database.lastInsertedRowID
        }
        prompts[text] = key
        return key ?? 0
    }

    private func origin(_ origin: SampleOrigin) throws -> Int64 {
        if let key = origins[origin] { return key }
        let bind: (borrowing RowStatement.Binding) -> Void = { values in
            values.set(1, origin.model.text)
            values.set(2, origin.adapter?.text)
            values.set(3, origin.sampler.text)
            values.set(4, origin.steps)
            values.set(5, origin.guidance)
            values.set(6, origin.width)
            values.set(7, origin.height)
            values.set(8, origin.tag?.text)
            values.set(9, origin.latentShape.map(String.init).joined(separator: "x"))
            values.set(10, origin.engine?.text)
        }
        var key = try findOrigin.first(bind)
        if key == nil {
            try insertOrigin.run(bind)
            key = database.lastInsertedRowID
        }
        origins[origin] = key
        return key ?? 0
    }
}
