import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A lock between processes of one host; the kernel lets go of it when a process dies.
enum FileLock {
    /// Waits for the lock of `file`, which is made where it is missing, and runs `body` under it.
    static func hold<R>(_ file: URL, _ body: () throws(CorpusError) -> R) throws(CorpusError) -> R {
        let descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw CorpusError(.io, file.path, "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw CorpusError(.io, file.path, "cannot be locked: \(String(cString: strerror(errno)))")
            }
        }
        return try body()
    }
}
