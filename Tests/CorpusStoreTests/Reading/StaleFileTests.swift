import CorpusStore
import DiskAccess
import Foundation
import Testing

/// Over NFS, an open file that another host removes or replaces is gone: its reads give ESTALE.
@Suite struct StaleFileTests {
    private func open(_ folder: borrowing TemporaryFolder) throws -> (Corpus, SampleReader, [CatalogueRow]) {
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        for record in try sampleRecords(2) { try corpus.append([record]) }
        let reader = SampleReader(corpus)
        return (corpus, reader, try corpus.query(CatalogueQuery()))
    }

    @Test func aReplacedFileIsOpenedAgain() throws {
        let folder = try TemporaryFolder()
        let (_, reader, rows) = try open(folder)
        let before = try reader.images(rows)
        // The file is open; its next read fails, and those of the same name that is opened again do not.
        let plan = FaultPlan([.read], 1, code: ESTALE)
        let after = try Faults.$plan.withValue(plan) { try reader.images(rows) }
        #expect(after == before && plan.count > 1)
    }

    @Test func aPackedFileIsFollowed() throws {
        let folder = try TemporaryFolder()
        let (corpus, reader, rows) = try open(folder)
        let before = try reader.images(rows)
        _ = try corpus.pack()
        let after = try Faults.$plan.withValue(FaultPlan([.read], 1, code: ESTALE)) { try reader.images(rows) }
        #expect(after == before)
    }

    /// A server that was restarted has forgotten the lock of the file that is being written.
    @Test func aShardWhoseLockWasLostIsWrittenAgain() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(2)
        let lost = { FaultPlan([.sync], 1, code: EIO) }
        #expect(throws: CorpusError.self) { try Faults.$plan.withValue(lost()) { try corpus.append(records) } }
        let host = Surroundings(host: "a", boot: "1", isShared: true)
        let shared = try Surroundings.$current.withValue(host) { try Corpus(at: corpus.folder, scoring: SumScoring()) }
        try Surroundings.$current.withValue(host) {
            _ = try Faults.$plan.withValue(lost()) { try shared.append(records) }
            #expect(shared.verify().isEmpty)
            let left = try FileManager.default.contentsOfDirectory(
                atPath: corpus.folder.appending(path: "tmp").path)
            #expect(left.isEmpty)
        }
    }

    @Test func aLostOneIsMissed() throws {
        let folder = try TemporaryFolder()
        let (corpus, reader, rows) = try open(folder)
        _ = try reader.images(rows)
        for row in rows {
            let digest = row.shard
            try FileManager.default.removeItem(
                at: ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards")))
        }
        let error = #expect(throws: CorpusError.self) {
            try Faults.$plan.withValue(FaultPlan([.read], 1, code: ESTALE)) { try reader.images(rows) }
        }
        #expect(error?.code == .notFound)
    }
}
