import Foundation

import Glibc

/// A lock between processes of one host, on a file that exists for it. It is held as long as this object lives; the
/// kernel lets go of it when the process ends, however it ends.
package final class DiskLock: Sendable {
    private let path: String
    private let descriptor: Int32

    /// What a lock is on.
    package enum Kind: Sendable {
        /// Made where it is missing.
        case file
        /// For places where no further file may appear.
        case folder
    }

    /// Waits until nobody else holds the lock.
    ///
    /// - Parameters:
    ///   - path: of the file or folder that is locked.
    ///   - kind: which of the two it is.
    ///   - shared: others may hold it shared at the same time.
    package init(waitingFor path: String, _ kind: Kind = .file, shared: Bool = false) throws(DiskError) {
        (self.path, descriptor) = (path, try openLock(path, kind))
        while flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0 {
            guard errno == EINTR else { throw lockError(path) }
        }
    }

    /// Nil while another process holds the lock.
    package init?(ifFree path: String) throws(DiskError) {
        (self.path, descriptor) = (path, try openLock(path, .file))
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return nil }
            guard errno == EINTR else { throw lockError(path) }
        }
    }

    /// Whether the file of this name is still the locked one: whoever held the lock before may have removed it.
    package var isOnNamedFile: Bool { isNamed(descriptor, path) }

    deinit { close(descriptor) }
}

/// Over NFS, a lock that is not shared needs a file that may be written to.
private func lockError(_ path: String) -> DiskError {
    let code = errno
    return DiskError("cannot be locked", path, code == EBADF ? EACCES : code)
}

private func openLock(_ path: String, _ kind: DiskLock.Kind) throws(DiskError) -> Int32 {
    if case .error(let code) = Faults.next(kind == .file ? .create : .open, path) {
        throw DiskError("cannot be opened", path, code)
    }
    let flags = (kind == .file ? O_RDWR | O_CREAT : O_RDONLY | O_DIRECTORY) | O_CLOEXEC
    var descriptor = open(path, flags, 0o666)
    if descriptor < 0, errno == ENOENT, kind == .file {
        // Copies lose folders that are empty.
        try Disk.makeFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        descriptor = open(path, flags, 0o666)
    }
    // Another user's lock file: locking does not write.
    if descriptor < 0, errno == EACCES, kind == .file { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw DiskError("cannot be opened", path) }
    return descriptor
}
