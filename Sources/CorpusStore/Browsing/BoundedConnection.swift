import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Connections that only read, on which every question ends in time: what a stranger asks for may take forever.
final class BoundedConnections: Sendable {
    private let path: String
    private let idle = Mutex<[BoundedConnection]>([])
    /// More than this are closed after use.
    private let kept: Int

    init(path: String, kept: Int) { (self.path, self.kept) = (path, kept) }

    /// Runs `body`, which fails with `SQLITE_INTERRUPT` when the time is up.
    func read<R>(seconds: Double, _ body: (Database) throws -> R) throws -> R {
        let connection = try idle.withLock { $0.popLast() } ?? BoundedConnection(path: path)
        let result = Result { try connection.read(seconds: seconds, body) }
        idle.withLock { if $0.count < kept { $0.append(connection) } }
        return try result.get()
    }
}

/// One connection, used by one thread at a time.
private final class BoundedConnection: Sendable {
    /// When the question under way must end, in nanoseconds of the monotonic clock.
    private final class Deadline: Sendable {
        let time = Atomic<UInt64>(.max)
    }

    private let queue: DatabaseQueue
    private let deadline = Deadline()

    init(path: String) throws {
        let deadline = deadline
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            // Memory is for images; what the questions need again and again fits.
            try database.execute(sql: "PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF")
            // No text or blob that a condition makes up is larger.
            sqlite3_limit(database.sqliteConnection, SQLITE_LIMIT_LENGTH, 16_000_000)
            sqlite3_limit(database.sqliteConnection, SQLITE_LIMIT_ATTACHED, 0)
            sqlite3_progress_handler(
                database.sqliteConnection, 2000,
                { context in
                    guard let context else { return 0 }
                    let deadline = Unmanaged<Deadline>.fromOpaque(context).takeUnretainedValue()
                    return DispatchTime.now().uptimeNanoseconds > deadline.time.load(ordering: .relaxed) ? 1 : 0
                }, Unmanaged.passUnretained(deadline).toOpaque())
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    func read<R>(seconds: Double, _ body: (Database) throws -> R) throws -> R {
        let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        deadline.time.store(end, ordering: .relaxed)
        defer { deadline.time.store(.max, ordering: .relaxed) }
        return try queue.read(body)
    }
}
