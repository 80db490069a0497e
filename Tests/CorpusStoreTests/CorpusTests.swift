import CorpusStore
import Foundation
import Testing

/// A stand-in for the estimators that attune brings.
struct SumScoring: TraceScoring {
    var identity: String { "test" }

    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) {
        let sum = deltaSquared.filter { !$0.isNaN }.reduce(0.0) { $0 + Double($1) }
        return (sum, 0.5, sum / 2)
    }
}

@Suite struct CorpusStoreTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
    }

    @Test func appendedSamplesAreFound() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(5)
        try corpus.append(Array(records[..<3]))
        try corpus.append(Array(records[3...]))
        #expect(try corpus.query(CatalogueQuery()).map(\.id) == records.map(\.id).sorted())
        let best = try corpus.query(CatalogueQuery(by: "mi", top: 1, perPrompt: true))
        #expect(best.map(\.id) == [records[0].id, records[4].id])
        #expect(best.map(\.mi) == [9, 13])
        let filtered = try corpus.query(CatalogueQuery(condition: "mi > 10 AND tag IS NULL", by: "mi"))
        #expect(filtered.map(\.mi) == [13, 12, 11])
        let shard = try corpus.open(filtered[1].shard)
        #expect(try shard.latents([filtered[1].row], shape: filtered[1].latentShape) == [records[3].latent])
        #expect(try corpus.existing(records.map(\.recipe.digest)).count == 5)
        #expect(corpus.verify().isEmpty)
    }

    @Test func theCatalogueIsDerived() throws {
        let folder = try TemporaryFolder()
        let first = try corpus(folder)
        try first.append(sampleRecords(5))
        let before = try first.query(CatalogueQuery())
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(at: first.folder.appending(path: "catalog.sqlite\(suffix)"))
        }
        #expect(try Corpus(at: first.folder, scoring: SumScoring()).query(CatalogueQuery()) == before)
    }

    @Test func appendingTwiceChangesNothing() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let digest = try corpus.append(sampleRecords(3))
        #expect(try corpus.append(sampleRecords(3)) == digest)
        #expect(try corpus.shards() == [digest])
        #expect(try corpus.query(CatalogueQuery()).count == 3)
    }

    @Test func writersAtOnceLoseNothing() async throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(12)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in records.indices {
                let place = corpus.folder
                group.addTask { try Corpus(at: place, scoring: SumScoring()).append([records[index]]) }
            }
            try await group.waitForAll()
        }
        #expect(try corpus.query(CatalogueQuery()).count == 12)
    }

    @Test(arguments: [
        "mi >", "nothing = 1", "1) --", "1) ; DELETE FROM samples; --",
        "id IN (SELECT id FROM samples); DROP TABLE samples",
    ])
    func conditionsCannotHarm(condition: String) throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(3))
        #expect(throws: CorpusError.self) { try corpus.query(CatalogueQuery(condition: condition)) }
        #expect(try corpus.query(CatalogueQuery()).count == 3)
    }

    @Test func damageIsNamed() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let digest = try corpus.append(sampleRecords(3))
        let url = ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards"))
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
        let found = corpus.verify()
        #expect(found.count == 1 && found[0].code == .damaged && found[0].subject.contains(digest.hex))
    }

    @Test func whatIsNotACorpusIsRefused() throws {
        let folder = try TemporaryFolder()
        #expect(throws: CorpusError.self) { try Corpus(at: folder.url, scoring: SumScoring()) }
        #expect(throws: CorpusError.self) { try Corpus.create(at: folder.url, scoring: SumScoring()) }
        let corpus = try corpus(folder)
        let settings = corpus.folder.appending(path: "attune.json")
        try Data(#"{"format":"attune-corpus","version":99,"id":"x"}"#.utf8).write(to: settings)
        let error = #expect(throws: CorpusError.self) { try Corpus(at: corpus.folder, scoring: SumScoring()) }
        #expect(error?.code == .newerFormat)
    }

    @Test func leftoversOfDeadWritersAreSwept() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let dead = corpus.folder.appending(path: "tmp/live-\(AtomicFiles.host)-0-left")
        try Data().write(to: dead)
        let alive = try corpus.files.temporaryFile()
        // Of versions up to 0.1, which locked nothing: a process number means nothing in another container.
        let old = corpus.folder.appending(path: "tmp/999999999-\(AtomicFiles.host)-busy")
        try Data().write(to: old)
        _ = try Corpus(at: corpus.folder, scoring: SumScoring(), sweeping: false)
        #expect(FileManager.default.fileExists(atPath: dead.path))
        _ = try Corpus(at: corpus.folder, scoring: SumScoring())
        #expect(!FileManager.default.fileExists(atPath: dead.path))
        #expect(FileManager.default.fileExists(atPath: alive.url.path))
        #expect(FileManager.default.fileExists(atPath: old.path))
    }
}
