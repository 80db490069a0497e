package import DiskAccess

package import Glibc

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
    package init?(path: String) throws(DiskError) {
        guard let status = try Disk.status(path) else { return nil }
        self.init(status)
    }

    package init(_ status: stat) {
        size = Int64(status.st_size)
        inode = Int64(truncatingIfNeeded: status.st_ino)
        changed = status.changed
    }
}
