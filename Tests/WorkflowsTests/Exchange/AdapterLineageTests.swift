import CorpusStore
import DiskAccess
import Foundation
import TestSupport
import Testing
import Tuning
import Workflows

/// What an artifact says of the adapters that its samples were made with.
@Suite struct AdapterLineageTests {
    private let scratch: Scratch
    private let corpus: Corpus

    init() throws {
        scratch = try Scratch()
        corpus = try scratch.corpus("corpus")
    }

    private func log(_ run: String) throws -> URL {
        let run = RunFolder(corpus: corpus.folder, name: run)
        try Disk.makeFolder(run.root.path)
        return run.log
    }

    private func finish(_ run: String) throws {
        let identity = RunIdentity(
            model: "sha256:m", selection: "best", selectionDigest: .numbered(0), configuration: TrainingConfiguration())
        let log = try RunLog(
            log(run), holding: [.run(identity), .finished(.init(step: 1, adapter: "adapter of \(run)"))],
            files: AtomicFiles(temporaryFolder: scratch.url("tmp")))
        withExtendedLifetime(log) {}
    }

    @Test func aDamagedLogIsToldAndLeavesTheOthers() throws {
        try finish("good")
        try Data("nothing of a log\n\n{}\n{}\n".utf8).write(to: log("torn"))
        let lineage = try AdapterLineage(corpus)
        #expect(lineage.adapters.map(\.digest) == ["adapter of good"])
        #expect(lineage.problems.count == 1 && lineage.problems.first?.contains("runs/torn") == true)
    }

    /// An artifact that silently lacks what it was made with would be wrong for good.
    @Test func aLogThatCannotBeReadIsAnError() throws {
        try finish("good")
        try Disk.makeFolder(log("unreadable").path)
        #expect(throws: RunLogError.self) { try AdapterLineage(corpus) }
    }
}
