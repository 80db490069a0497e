import CorpusStore
import Foundation
import Testing

/// Notes of removals explain what is gone, and nothing that was lost since.
@Suite struct RetirementTests {
    private func remove(_ digest: Digest, of corpus: Corpus) throws {
        try FileManager.default.removeItem(
            at: ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards")))
    }

    @Test func aShardThatCameBackIsMissedWhenItIsLost() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(2)
        let digest = try corpus.append(records)
        try corpus.gc(GcOptions(keep: [], grace: 0))
        #expect(try corpus.append(records) == digest)
        try remove(digest, of: corpus)
        let again = try Corpus(at: corpus.folder, scoring: SumScoring())
        #expect(again.verify().contains { $0.code == .notFound && $0.digest == digest })
        #expect(try again.query(CatalogueQuery()).count == 2)
        // Removed for good once more, it is not.
        try again.append(records)
        try again.gc(GcOptions(keep: [], grace: 0))
        #expect(try Corpus(at: corpus.folder, scoring: SumScoring()).verify().isEmpty)
    }

    /// The other host's catalogue never saw the shard's first end.
    @Test func anotherHostMissesItToo() throws {
        let folder = try TemporaryFolder()
        let place = folder.url.appending(path: "c")
        let (a, b) = (
            Surroundings(host: "a", boot: "1", isShared: true), Surroundings(host: "b", boot: "2", isShared: true)
        )
        let first = try Surroundings.$current.withValue(a) { try Corpus.create(at: place, scoring: SumScoring()) }
        let records = try sampleRecords(2)
        let digest = try first.append(records)
        _ = try Surroundings.$current.withValue(b) { try Corpus(at: place, scoring: SumScoring()) }
        try first.gc(GcOptions(keep: [], grace: 0))
        try first.append(records)
        try remove(digest, of: first)
        try Surroundings.$current.withValue(b) {
            let second = try Corpus(at: place, scoring: SumScoring())
            #expect(second.verify().contains { $0.digest == digest })
        }
    }

    /// Killed after the rename, before the note: whoever opens the corpus next writes it.
    @Test func whoeverFindsItAgainVoidsTheNote() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let digest = try corpus.append(sampleRecords(2))
        let place = ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards"))
        let bytes = try Data(contentsOf: place)
        try corpus.gc(GcOptions(keep: [], grace: 0))
        try bytes.write(to: place)
        _ = try Corpus(at: corpus.folder, scoring: SumScoring())
        try remove(digest, of: corpus)
        #expect(try Corpus(at: corpus.folder, scoring: SumScoring()).verify().contains { $0.digest == digest })
    }
}
