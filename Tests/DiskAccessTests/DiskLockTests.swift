import DiskAccess
import Foundation
import Testing

@Suite struct DiskLockTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "attune-lock-\(UUID().uuidString)").path

    @Test func oneHoldsAtATimeAndTheNextAfterIt() throws {
        defer { unlink(path) }
        var held = try DiskLock(ifFree: path)
        #expect(held != nil)
        #expect(try DiskLock(ifFree: path) == nil)
        held = nil
        #expect(try DiskLock(ifFree: path) != nil)
    }

    @Test func whoWaitsGetsItWhenTheOtherLetsGo() throws {
        defer { unlink(path) }
        let path = path
        var held: DiskLock? = try DiskLock(waitingFor: path)
        let isTaken = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let lock = try? DiskLock(waitingFor: path)
            if lock != nil { isTaken.signal() }
        }
        #expect(isTaken.wait(timeout: .now() + 0.1) == .timedOut)
        #expect(held?.isOnNamedFile == true)
        held = nil
        #expect(isTaken.wait(timeout: .now() + 10) == .success)
    }

    @Test func aLockOfARemovedFileIsNoLongerOnTheNamedOne() throws {
        defer { unlink(path) }
        let first = try DiskLock(waitingFor: path)
        unlink(path)
        #expect(!first.isOnNamedFile)
        let second = try DiskLock(ifFree: path)
        #expect(second?.isOnNamedFile == true && !first.isOnNamedFile)
    }

    @Test func foldersAreLockedWithoutAFileInThem() throws {
        try Disk.makeFolder(path)
        defer { rmdir(path) }
        let lock = try DiskLock(waitingFor: path, .folder)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        withExtendedLifetime(lock) {}
        #expect(throws: DiskError.self) { try DiskLock(waitingFor: path + "/none", .folder) }
    }
}
