import DiskAccess
import Foundation
import Testing

import Glibc

@Suite struct LookingTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "attune-look-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/b"))
        try Data("y".utf8).write(to: URL(fileURLWithPath: folder + "/a"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/loop", withDestinationPath: folder + "/loop")
    }

    @Test func onlyENOENTIsAbsence() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try Disk.list(folder) == ["a", "b", "loop"])
        #expect(try Disk.exists(folder + "/a") && !Disk.exists(folder + "/c") && !Disk.exists(folder + "/a/c"))
        #expect(try Disk.listIfPresent(folder + "/c") == nil && Disk.readIfPresent(folder + "/c") == nil)
        for look in [
            { _ = try Disk.exists(folder + "/loop") }, { _ = try Disk.readIfPresent(folder + "/loop") },
            { _ = try Disk.listIfPresent(folder + "/loop") }, { _ = try Disk.isFolder(folder + "/loop") },
            { _ = try Disk.freeBytes(at: folder + "/loop") },
        ] as [() throws -> Void] {
            let error = #expect(throws: DiskError.self, performing: look)
            #expect(error?.code == ELOOP && error?.path == folder + "/loop")
        }
        #expect(!Disk.isSurelyAbsent(folder + "/loop") && Disk.isSurelyAbsent(folder + "/c"))
        #expect(throws: DiskError.self) { try Disk.listIfPresent(folder + "/a") }
        #expect(try Disk.isFolder(folder) == true && Disk.isFolder(folder + "/a") == false)
        #expect(try Disk.isFolder(folder + "/c") == nil && Disk.freeBytes(at: folder + "/c") == nil)
        #expect(try Disk.freeBytes(at: folder + "/a") ?? 0 > 0)
    }

    @Test func linksAreToldFromFiles() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try Disk.linkTarget(folder + "/loop") == folder + "/loop")
        for path in ["/a", "/c", "/a/c", ""] { #expect(try Disk.linkTarget(folder + path) == nil) }
        #expect(throws: DiskError.self) { try Disk.linkTarget(folder + "/loop/c") }
    }

    @Test(arguments: ["EIO", "EACCES", "EMFILE", "ELOOP"])
    func eachLookCanBeMadeToFail(code: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let looks: [(String, () throws -> Void)] = [
            ("stat", { _ = try Disk.exists(folder + "/a") }), ("readdir", { _ = try Disk.listIfPresent(folder) }),
            ("stat", { _ = try Disk.freeBytes(at: folder) }), ("stat", { _ = try Disk.linkTarget(folder + "/a") }),
            ("open", { _ = try Disk.readIfPresent(folder + "/a") }),
            ("look", { _ = try Disk.holder(of: folder + "/a") }),
        ]
        for (point, look) in looks {
            let plan = try #require(FaultPlan("\(point):2:\(code)"))
            try Faults.$plan.withValue(plan) {
                try look()
                #expect(throws: DiskError.self, performing: look)
                try look()
            }
        }
        #expect(FaultPlan("stat:1:EWHAT") == nil)
    }

    @Test func aReservedFileIsAliveUntilItIsClosed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/reserved"
        func use(_ file: borrowing DiskFile) throws {
            #expect(try Disk.holder(of: path, remove: true) == .alive)
            try Disk.rename(path, to: folder + "/renamed")
            #expect(try Disk.holder(of: folder + "/renamed", remove: true) == .alive)
            try file.write(Data("z".utf8))
        }
        try use(DiskFile(path, .reserve))
        #expect(try Disk.read(folder + "/renamed") == Data("z".utf8))
        #expect(try Disk.holder(of: folder + "/renamed") == .none)
        #expect(try Disk.exists(folder + "/renamed"))
        #expect(try Disk.holder(of: folder + "/renamed", remove: true) == .none)
        #expect(try !Disk.exists(folder + "/renamed"))
    }

    /// Many that make files and many that sweep at once: no file is lost from under its maker.
    @Test func sweepingNeverTakesALiveFile() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for round in 0..<200 {
                let path = "\(folder)/\(worker % 2)-\(round)-\(worker)"
                do throws(DiskError) {
                    if worker % 2 == 0 {
                        let file = try DiskFile(path, .reserve)
                        try file.write(Data("x".utf8))
                        try Disk.rename(path, to: path + ".done")
                        withExtendedLifetime(file) {}
                    } else {
                        for name in try Disk.list(folder) where name.hasPrefix("0-") && !name.hasSuffix(".done") {
                            _ = try Disk.holder(of: folder + "/" + name, remove: true)
                        }
                    }
                } catch {
                    // Somebody looked before the lock was there: another name does.
                    if error.code != EWOULDBLOCK { Issue.record("\(error)") }
                }
            }
        }
    }
}
