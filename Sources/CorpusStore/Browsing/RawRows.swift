import Foundation
import GRDB
import GRDBSQLite

/// Rows of a question that gives hundreds of thousands: read where SQLite has them, without a row object for each, which
/// costs more than the question itself.
struct RawRows {
    private let raw: OpaquePointer

    /// Calls `body` with each row, which holds until `body` returns.
    static func forEach(_ database: Database, _ sql: String, _ body: (RawRows) throws -> Void) throws {
        let statement = try database.makeStatement(sql: sql)
        let raw = statement.sqliteStatement
        try withExtendedLifetime(statement) {
            defer { sqlite3_reset(raw) }
            while true {
                switch sqlite3_step(raw) {
                case SQLITE_ROW: try body(RawRows(raw: raw))
                case SQLITE_DONE: return
                case let code:
                    throw DatabaseError(
                        resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage, sql: sql)
                }
            }
        }
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }

    func double(_ column: Int32) -> Double? {
        sqlite3_column_type(raw, column) == SQLITE_NULL ? nil : sqlite3_column_double(raw, column)
    }

    func isText(_ column: Int32) -> Bool { sqlite3_column_type(raw, column) == SQLITE_TEXT }

    func data(_ column: Int32) -> Data {
        guard let start = sqlite3_column_blob(raw, column) else { return Data() }
        return Data(bytes: start, count: Int(sqlite3_column_bytes(raw, column)))
    }

    /// Nil for what is no digest.
    func digest(_ column: Int32) -> Digest? {
        guard let start = sqlite3_column_blob(raw, column), sqlite3_column_bytes(raw, column) == 32 else { return nil }
        return Digest(bytes: UnsafeRawBufferPointer(start: start, count: 32))
    }
}
