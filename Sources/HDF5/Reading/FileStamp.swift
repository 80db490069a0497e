#if canImport(Glibc)
    package import Glibc
#else
    package import Darwin
#endif

/// What changes when a file's bytes do, short of a failing disk: the kernel sets the change time, and no call sets it
/// back.
package struct FileStamp: Sendable, Equatable {
    package let size: Int64
    package let inode: Int64
    /// Nanoseconds since 1970.
    package let changed: Int64

    package init(size: Int64, inode: Int64, changed: Int64) {
        (self.size, self.inode, self.changed) = (size, inode, changed)
    }

    /// Of a file or folder; nil where there is none.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    package init(_ status: stat) {
        #if canImport(Glibc)
            let time = status.st_ctim
        #else
            let time = status.st_ctimespec
        #endif
        size = Int64(status.st_size)
        inode = Int64(truncatingIfNeeded: status.st_ino)
        changed = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
