import CorpusStore
import Foundation
import Testing

@Suite struct ShardPipelineTests {
    private struct Stop: Error {}

    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
    }

    @Test func allIsThereWhenItReturns() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(12)
        try corpus.appendShards { append in for record in records { try append([record]) } }
        #expect(try corpus.shards().count == 12)
        #expect(try corpus.query(CatalogueQuery()).map(\.id) == records.map(\.id).sorted())
        #expect(corpus.verify().isEmpty)
    }

    /// What the caller throws ends it; what was handed over before is kept.
    @Test func whatWentBeforeAFailureStays() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(3)
        #expect(throws: Stop.self) {
            try corpus.appendShards { append in
                try append([records[0]])
                try append([records[1]])
                throw Stop()
            }
        }
        #expect(try corpus.query(CatalogueQuery()).count == 2)
    }

    /// A shard that cannot be sealed is reported, at a later one or at the end, and nothing follows it.
    @Test func aFailedShardIsReported() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let shards = corpus.folder.appending(path: "shards")
        try FileManager.default.removeItem(at: shards)
        try Data("no folder".utf8).write(to: shards)
        var appended = 0
        let records = try sampleRecords(12)
        let error = #expect(throws: CorpusError.self) {
            try corpus.appendShards { append in
                for record in records {
                    try append([record])
                    appended += 1
                }
            }
        }
        // Four may be under way before the first is known to have failed.
        #expect(appended <= 8)
        #expect(error?.description.contains("shards") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: corpus.folder.appending(path: "tmp").path).isEmpty)
    }
}
