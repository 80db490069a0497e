import DiskAccess
import Foundation
import Testing

@Suite struct SyncFolderTests {
    /// /proc answers EINVAL, as some network and FUSE file systems do.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self"), "needs a file system without fsync"))
    func foldersThatCannotBeSyncedAreTolerated() throws {
        #expect(throws: DiskError.self) { try DiskFile("/proc", .read).sync() }
        try Disk.syncFolder("/proc")
        #expect(throws: DiskError.self) { try Disk.syncFolder("/proc/nowhere") }
    }
}
