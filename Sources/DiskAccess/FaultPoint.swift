/// The kinds of calls by which a corpus touches its disk: where a test may make them fail, or the process die.
package enum FaultPoint: String, CaseIterable, Sendable {
    case open, create, read, write, sync, rename, remove, folder
    /// Asking what the kernel knows of a path.
    case stat
    /// Listing a folder.
    case readdir
    /// Before a transaction of the catalogue is committed, and after.
    case commit, committed

    /// The points at which nothing changes: looking for a file, and reading it.
    package static let looking: Set<FaultPoint> = [.open, .stat, .readdir, .read]
}

/// What goes wrong at a point.
package enum Fault: Sendable, Equatable {
    /// The call fails with this error number.
    case error(Int32)
    /// The call moves a part of the bytes and says so, which is not an error.
    case short
}
