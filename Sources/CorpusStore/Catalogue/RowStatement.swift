import GRDB
import GRDBSQLite

/// A statement that is run once per row: values are bound as they are, without a box around each.
struct RowStatement {
    private let statement: Statement
    private let database: Database

    init(_ sql: String, _ database: Database) throws {
        statement = try database.makeStatement(sql: sql)
        self.database = database
    }

    /// Binds the values, runs the statement, and tells whether it changed a row.
    @discardableResult
    func run(_ bind: (borrowing Binding) -> Void) throws -> Bool {
        let raw = statement.sqliteStatement
        bind(Binding(raw: raw))
        let code = sqlite3_step(raw)
        sqlite3_reset(raw)
        guard code == SQLITE_DONE || code == SQLITE_ROW else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage)
        }
        return sqlite3_changes(sqlite3_db_handle(raw)) > 0
    }

    /// Binds the values, runs the statement, and gives the first column of its first row, if there is one.
    func first(_ bind: (borrowing Binding) -> Void) throws -> Int64? {
        let raw = statement.sqliteStatement
        bind(Binding(raw: raw))
        defer { sqlite3_reset(raw) }
        switch sqlite3_step(raw) {
        case SQLITE_ROW: return sqlite3_column_int64(raw, 0)
        case SQLITE_DONE: return nil
        case let code:
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage)
        }
    }

    struct Binding: ~Copyable {
        let raw: OpaquePointer
        private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

        init(raw: OpaquePointer) { self.raw = raw }

        func set(_ place: Int32, _ value: Digest) {
            value.withBytes { _ = sqlite3_bind_blob(raw, place, $0.baseAddress, 32, transient) }
        }

        func set(_ place: Int32, _ value: Int64) { sqlite3_bind_int64(raw, place, value) }
        func set(_ place: Int32, _ value: Int) { sqlite3_bind_int64(raw, place, Int64(value)) }

        /// NaN becomes NULL.
        func set(_ place: Int32, _ value: Double) { sqlite3_bind_double(raw, place, value) }

        func set(_ place: Int32, _ value: String?) {
            guard var text = value else {
                sqlite3_bind_null(raw, place)
                return
            }
            text.withUTF8 { bytes in
                // An empty text has no address of its own; without one SQLite would bind NULL.
                withUnsafePointer(to: CChar(0)) { empty in
                    let start = bytes.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
                    _ = sqlite3_bind_text(raw, place, start ?? empty, Int32(bytes.count), transient)
                }
            }
        }
    }
}
