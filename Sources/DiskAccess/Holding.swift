import Foundation

/// What a look at a file's lock says of the process that made it.
package enum FileHolder: Sendable, Equatable {
    /// Somebody holds the file's lock.
    case alive
    /// Nobody does, or the file is gone.
    case none
    /// It cannot be known: the file may not be opened, or its file system has no locks.
    case unknown
}

extension Disk {
    /// Whether some process holds the lock of a file. The kernel lets go of it when the process ends, and knows it in
    /// every container: a process number proves neither life nor death.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - remove: whether to remove the file where nobody holds it; nobody can take it meanwhile.
    package static func holder(of path: String, remove: Bool = false) throws(DiskError) -> FileHolder {
        if case .error(let code) = Faults.next(.open, path) { throw DiskError("cannot be opened", path, code) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .none }
            if [EACCES, EPERM, ENXIO].contains(errno) { return .unknown }
            throw DiskError("cannot be opened", path)
        }
        defer { close(descriptor) }
        // Shared: two that look at once must not take each other for the file's maker.
        while flock(descriptor, LOCK_SH | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return .alive }
            guard errno == EINTR else { return .unknown }
        }
        // Renamed between the two calls: its maker is done with it.
        guard remove, isNamed(descriptor, path) else { return .none }
        try Disk.remove(path)
        return .none
    }
}

extension stat {
    /// The change time, in nanoseconds since 1970.
    package var changed: Int64 {
        let time = st_ctim
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
