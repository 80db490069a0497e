import DiskAccess
import Foundation

/// The locks under which processes on one corpus take turns.
enum FileLock {
    /// Waits for the lock of `file`, which is made where it is missing, and runs `body` under it.
    ///
    /// - Parameter shared: others may hold it shared at the same time.
    static func hold<R>(
        _ file: URL, shared: Bool = false, _ body: () throws(CorpusError) -> R
    ) throws(CorpusError) -> R {
        let lock: DiskLock
        do throws(CorpusError) {
            lock = try reported { () throws(DiskError) in try DiskLock(waitingFor: file.path, shared: shared) }
        } catch {
            // Where nobody can write, there is nothing to take turns for: a trial run looks without a lock.
            guard Permission.writeProblem(file.deletingLastPathComponent().path) == EROFS else { throw error }
            return try body()
        }
        return try withExtendedLifetime(lock, body)
    }
}
