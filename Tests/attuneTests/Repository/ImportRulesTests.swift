import Foundation
import TestSupport
import Testing

/// Scripts/check-imports.sh, which make lint runs: what Package.swift does not list, nothing imports.
@Suite(.enabled(if: (try? Shell.run("command -v swift").status) == 0, "swift is not on the path"))
struct ImportRulesTests {
    private func check(_ folder: String) throws -> Outcome {
        let script = Attune.repository.appending(path: "Scripts/check-imports.sh").path
        return try Shell.run("\(Shell.quoted(script)) \(Shell.quoted(folder))")
    }

    @Test func theSourcesKeepThem() throws {
        let outcome = try check(Attune.repository.path)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }

    @Test func violationsAreNamedByFileAndLine() throws {
        let scratch = try Scratch()
        let copy = scratch.path("copy")
        let repository = Shell.quoted(Attune.repository.path)
        let made = try Shell.run(
            """
            set -e
            mkdir -p \(Shell.quoted(copy)) && cd \(Shell.quoted(copy))
            cp -r \(repository)/Package.swift \(repository)/Sources .
            printf '@preconcurrency package import struct DiskAccess.DiskError // why\\n' > Sources/Tensors/Stray.swift
            printf '\\n    import CKernels\\n' > Sources/Tuning/Stray.swift
            """)
        try #require(made.status == 0, "\(made.errors)")
        let outcome = try check(copy)
        #expect(outcome.status == 1)
        #expect(
            outcome.output.contains("Sources/Tensors/Stray.swift:1: Tensors imports DiskAccess"), "\(outcome.output)")
        #expect(outcome.output.contains("Sources/Tuning/Stray.swift:2: Tuning imports CKernels"), "\(outcome.output)")
        #expect(outcome.output.split(separator: "\n").count == 2, "\(outcome.output)")
    }
}
