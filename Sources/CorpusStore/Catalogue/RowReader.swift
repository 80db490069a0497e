import GRDB
import GRDBSQLite

/// Reads rows of samples, many thousands per second: what they share is looked up once.
final class RowReader {
    private let sample, prompt, origin, shard: Statement
    private var origins: [Int64: SampleOrigin] = [:]
    private var shards: [Int64: Digest] = [:]
    private var prompts: (key: Int64, text: String) = (-1, "")

    /// - Parameter column: the column of `sample` by which rows are asked for.
    init(_ database: Database, by column: String) throws {
        sample = try database.makeStatement(
            sql: """
                SELECT id, recipe, prompt, origin, seed, shard, row, mi, mi_se, mi_reference, mi_source, mc, mc_se,
                  mc_reference, mc_draws, contrast, contrast_se, contrast_hard, pointwise, near_misses, rf, rf_cfg
                FROM sample WHERE \(column) = ?
                """)
        prompt = try database.makeStatement(sql: "SELECT text FROM prompt WHERE key = ?")
        origin = try database.makeStatement(
            sql: """
                SELECT model, adapter, sampler, steps, guidance, width, height, tag, latent_shape, engine
                FROM origin WHERE key = ?
                """)
        shard = try database.makeStatement(sql: "SELECT digest FROM shard WHERE key = ?")
    }

    func row(_ key: Int64) throws -> CatalogueRow? { try row { sqlite3_bind_int64($0, 1, key) } }

    func row(_ id: Digest) throws -> CatalogueRow? {
        try id.withBytes { bytes in try row { sqlite3_bind_blob($0, 1, bytes.baseAddress, 32, nil) } }
    }

    private func row(_ bind: (OpaquePointer) -> Int32) throws -> CatalogueRow? {
        let values = Values(raw: sample.sqliteStatement)
        return try values.first(bind) {
            let scores = CatalogueRow.Scores(
                mi: values.double(7), miError: values.double(8), miReference: values.double(9),
                miSource: values.text(10),
                mc: values.double(11), mcError: values.double(12), mcReference: values.double(13),
                mcDraws: values.integer(14), contrast: values.double(15), contrastError: values.double(16),
                contrastHard: values.double(17), pointwise: values.double(18), nearMisses: values.integer(19),
                rf: values.double(20), guidedRF: values.double(21))
            return CatalogueRow(
                id: try values.digest(0), recipe: try values.digest(1), prompt: try prompt(values.key(2)),
                seed: values.text(4) ?? "", origin: try origin(values.key(3)), scores: scores,
                shard: try shard(values.key(5)), row: values.integer(6) ?? -1)
        }
    }

    private func prompt(_ key: Int64) throws -> String {
        // Samples of one prompt come together.
        if prompts.key == key { return prompts.text }
        let values = Values(raw: prompt.sqliteStatement)
        let text = try values.first({ sqlite3_bind_int64($0, 1, key) }, { values.text(0) }) ?? nil
        prompts = (key, text ?? "")
        return prompts.text
    }

    private func origin(_ key: Int64) throws -> SampleOrigin {
        if let known = origins[key] { return known }
        let values = Values(raw: origin.sqliteStatement)
        let found = try values.first({ sqlite3_bind_int64($0, 1, key) }) {
            SampleOrigin(
                model: values.text(0) ?? "", adapter: values.text(1), sampler: values.text(2) ?? "",
                steps: values.integer(3) ?? 0, guidance: values.double(4) ?? 0, width: values.integer(5) ?? 0,
                height: values.integer(6) ?? 0, tag: values.text(7),
                engine: values.text(9),
                latentShape: (values.text(8) ?? "").split(separator: "x").compactMap { Int($0) })
        }
        guard let found else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a sample lacks its origin") }
        origins[key] = found
        return found
    }

    private func shard(_ key: Int64) throws -> Digest {
        if let known = shards[key] { return known }
        let values = Values(raw: shard.sqliteStatement)
        let found = try values.first({ sqlite3_bind_int64($0, 1, key) }) { try values.digest(0) }
        guard let found else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a sample lacks its shard") }
        shards[key] = found
        return found
    }
}

/// The columns of a statement's row.
private struct Values {
    let raw: OpaquePointer

    /// Runs the statement, and reads its first row, if it gives one.
    func first<R>(_ bind: (OpaquePointer) -> Int32, _ read: () throws -> R) throws -> R? {
        _ = bind(raw)
        defer { sqlite3_reset(raw) }
        switch sqlite3_step(raw) {
        case SQLITE_ROW: return try read()
        case SQLITE_DONE: return nil
        case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code))
        }
    }

    private func isNull(_ column: Int32) -> Bool { sqlite3_column_type(raw, column) == SQLITE_NULL }

    func key(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }
    func integer(_ column: Int32) -> Int? { isNull(column) ? nil : Int(sqlite3_column_int64(raw, column)) }
    func double(_ column: Int32) -> Double? { isNull(column) ? nil : sqlite3_column_double(raw, column) }

    func text(_ column: Int32) -> String? {
        guard let start = sqlite3_column_text(raw, column) else { return nil }
        return String(
            decoding: UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column))), as: UTF8.self)
    }

    /// - Throws: for what is not a digest: a catalogue may be damaged.
    func digest(_ column: Int32) throws -> Digest {
        guard let start = sqlite3_column_blob(raw, column), sqlite3_column_bytes(raw, column) == 32 else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a row has a value that is not a SHA-256")
        }
        return Digest(bytes: UnsafeRawBufferPointer(start: start, count: 32))
    }
}
