import DiskAccess
import Foundation
import Testing

@Suite struct BlockFileTests {
    private func file() -> String {
        FileManager.default.temporaryDirectory.appending(path: "attune-block-\(UUID().uuidString)").path
    }

    /// Pieces of odd lengths, so that none of them ends where a block does.
    private func write(_ bytes: [UInt8], to path: String, expecting size: Int? = nil) throws {
        var file = try BlockFile(path, expecting: size ?? bytes.count)
        var failure: DiskError?
        bytes.withUnsafeBytes { all in
            do throws(DiskError) {
                for start in stride(from: 0, to: all.count, by: 77_777) {
                    try file.append(UnsafeRawBufferPointer(rebasing: all[start..<min(start + 77_777, all.count)]))
                }
                try file.finish()
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) } }

    /// Around a block, a page, and the size from which the page cache is left out.
    @Test(arguments: [0, 1, 4095, 4096, 1 << 20, (1 << 20) + 1, (4 << 20) - 1, 4 << 20, (5 << 20) + 123])
    func anyNumberOfBytesComesBack(count: Int) throws {
        let path = file()
        defer { unlink(path) }
        try write(bytes(count), to: path)
        #expect(try Disk.read(path) == Data(bytes(count)))
    }

    @Test func aWrongGuessOfTheSizeChangesNothing() throws {
        let paths = [file(), file()]
        defer { for path in paths { unlink(path) } }
        try write(bytes(5000), to: paths[0], expecting: 64 << 20)
        try write(bytes(6 << 20), to: paths[1], expecting: 0)
        #expect(try Disk.read(paths[0]) == Data(bytes(5000)))
        #expect(try Disk.read(paths[1]) == Data(bytes(6 << 20)))
    }

    /// The rest of a block is not a whole page then, which only the page cache takes.
    @Test func shortWritesGoOn() throws {
        let path = file()
        defer { unlink(path) }
        try Faults.$plan.withValue(FaultPlan(.write, 2, .short)) { try write(bytes(6 << 20), to: path) }
        #expect(try Disk.read(path) == Data(bytes(6 << 20)))
    }

    @Test func aFullDiskIsReported() throws {
        let path = file()
        defer { unlink(path) }
        let error = #expect(throws: DiskError.self) {
            try Faults.$plan.withValue(FaultPlan(.write, 3, .full)) { try write(bytes(6 << 20), to: path) }
        }
        #expect(error?.code == ENOSPC && error?.path == path)
    }

    @Test func whatExistsIsNotTouched() throws {
        let path = file()
        defer { unlink(path) }
        try write(bytes(10), to: path)
        #expect(throws: DiskError.self) { try write(bytes(20), to: path) }
        #expect(try Disk.read(path) == Data(bytes(10)))
    }
}
