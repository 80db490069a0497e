import Foundation
import TestSupport
import Testing
import Workflows

@Suite struct MachineReportTests {
    @Test func aDiskThatCannotBeLookedAtIsNotMissing() throws {
        let scratch = try Scratch()
        let loop = scratch.path("loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        func report(_ folder: String) -> MachineReport {
            MachineReport(version: "0", folder: folder, environment: [:])
        }
        #expect(report(scratch.url.path).freeDiskBytes ?? 0 > 0)
        #expect(report(scratch.path("none")).warnings.contains { $0.contains("does not exist") })
        let unknown = report(loop)
        #expect(unknown.freeDiskBytes == nil && !unknown.warnings.contains { $0.contains("does not exist") })
        #expect(unknown.warnings.contains { $0.contains("Too many levels of symbolic links") })
    }
}
