import DiskAccess
import Foundation
import Testing

@Suite struct DiskFileTests {
    private func file() -> String {
        FileManager.default.temporaryDirectory.appending(path: "attune-disk-\(UUID().uuidString)").path
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try DiskFile(path, .create).write(bytes)
    }

    private let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    @Test func shortTransfersGoOn() throws {
        let path = file()
        defer { unlink(path) }
        try Faults.$plan.withValue(FaultPlan(.write, 1, .short)) { try write(bytes, to: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
        #expect(try Faults.$plan.withValue(FaultPlan(.read, 1, .short)) { try Disk.read(path) } == Data(bytes))
    }

    @Test func aFirstFailedReadIsTriedAgainAndASecondReported() throws {
        let path = file()
        defer { unlink(path) }
        try write(bytes, to: path)
        #expect(try Faults.$plan.withValue(FaultPlan(.read, 1, .fail)) { try Disk.read(path) } == Data(bytes))
        let error = #expect(throws: DiskError.self) {
            try Faults.$plan.withValue(FaultPlan(.read, 1, .broken)) { try Disk.read(path) }
        }
        #expect(error?.code == EIO && error?.path == path)
    }

    @Test(arguments: [0, 10, 10_000, 3_000_000]) func copiesAreWhole(count: Int) throws {
        let (path, copy) = (file(), file())
        defer { for path in [path, copy] { unlink(path) } }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try write(bytes, to: path)
        var seen: [UInt8] = []
        try Faults.$plan.withValue(FaultPlan(.read, 1, .short)) { try Disk.copy(path, to: copy) { seen += $0 } }
        #expect(try seen == bytes && Disk.read(copy) == Data(bytes))
        #expect(throws: DiskError.self) { try Disk.copy(path, to: copy) }
        unlink(copy)
        guard count > 0 else { return }
        let error = #expect(throws: DiskError.self) {
            try Faults.$plan.withValue(FaultPlan(.write, 1, .full)) { try Disk.copy(path, to: copy) }
        }
        #expect(error?.code == ENOSPC && error?.path == copy)
    }

    @Test func aFullDiskTakesAPart() throws {
        let path = file()
        defer { unlink(path) }
        let error = #expect(throws: DiskError.self) {
            try Faults.$plan.withValue(FaultPlan(.write, 1, .full)) { try write(bytes, to: path) }
        }
        #expect(error?.code == ENOSPC)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 5000)
    }

    @Test func aReplacedFileForgetsAndAnExtendedOneGrows() throws {
        let path = file()
        defer { unlink(path) }
        try DiskFile(path, .replace).write(bytes)
        try DiskFile(path, .replace).write(bytes.prefix(10).map { $0 })
        let grown = try DiskFile(path, .extend)
        try grown.write([1, 2, 3])
        #expect(try Disk.read(path) == Data(bytes.prefix(10) + [1, 2, 3]))
        try grown.empty()
        try grown.write([4])
        #expect(try Disk.read(path) == Data([4]))
    }

    @Test func foldersAreMadeWithThoseAbove() throws {
        let path = file()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Disk.makeFolder(path + "/a/b")
        try Disk.makeFolder(path + "/a/b")
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/a") == ["b"])
        #expect(throws: DiskError.self) { try Disk.makeFolder("/proc/attune/none") }
    }

    @Test(arguments: ["", "write", "write:x:kill", "nothing:1:kill", "write:1:explode"])
    func whatIsNoPlanIsNone(text: String) { #expect(FaultPlan(text) == nil) }
}
