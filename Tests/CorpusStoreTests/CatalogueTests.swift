import CorpusStore
import Foundation
import Testing

@Suite struct CatalogueTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
    }

    /// Twelve samples of two prompts; `mi` is 9, 1, and from 11 on one more each.
    private func filled(_ folder: borrowing TemporaryFolder) throws -> (corpus: Corpus, records: [SampleRecord]) {
        let corpus = try corpus(folder)
        let records = try sampleRecords(12)
        try corpus.appendShards { append in
            try append(Array(records[..<5]))
            try append(Array(records[5...]))
        }
        return (corpus, records)
    }

    /// Rankings by `mi` come from an index, others from a sort: they must agree.
    @Test(arguments: [1, 2, 3], [nil, "mi > 5", "tag IS NULL", "prompt LIKE '%green%' -- and a comment"])
    func bothWaysToTheBestAgree(top: Int, condition: String?) throws {
        let folder = try TemporaryFolder()
        let (corpus, _) = try filled(folder)
        let quick = try corpus.query(CatalogueQuery(condition: condition, by: "mi", top: top, perPrompt: true))
        let sorted = try corpus.query(
            CatalogueQuery(condition: condition, by: "mi_reference", top: top, perPrompt: true))
        #expect(quick == sorted && !quick.isEmpty)
        #expect(
            try corpus.ids(CatalogueQuery(condition: condition, by: "mi", top: top, perPrompt: true))
                == quick.map(\.id))
        let everything = try corpus.query(CatalogueQuery(condition: condition, by: "mi"))
        #expect(try corpus.count(CatalogueQuery(condition: condition)) == everything.count)
        #expect(everything.compactMap(\.mi) == everything.compactMap(\.mi).sorted(by: >))
    }

    @Test func rowsSayWhatTheRecordsSaid() throws {
        let folder = try TemporaryFolder()
        let (corpus, records) = try filled(folder)
        let rows = try corpus.rows(records.map(\.id))
        for record in records {
            let row = try #require(rows[record.id])
            #expect(row.id == record.id && row.recipe == record.recipe.digest)
            #expect(
                row.prompt == record.recipe.prompt && row.seed == String(record.recipe.seed) && row.tag == record.tag)
            #expect(row.latentShape == record.latentShape && row.model == record.recipe.model && row.adapter == nil)
            #expect(row.steps == 4 && row.guidance == 7.5 && row.width == 8 && row.height == 8)
        }
        #expect(try corpus.query(CatalogueQuery(condition: "id IN (SELECT id FROM samples WHERE mi > 15)")).count == 5)
    }

    /// As a `pack` leaves it that was killed before it removed what it had packed.
    @Test func aSampleInTwoShardsCountsOnce() throws {
        let folder = try TemporaryFolder()
        let (corpus, records) = try filled(folder)
        _ = try ShardWriter.write(records, to: corpus.folder.appending(path: "shards"), files: corpus.files)
        try corpus.catchUp()
        #expect(try corpus.count(CatalogueQuery()) == 12)
        let (again, unreadable) = try Corpus.reindex(at: corpus.folder, scoring: SumScoring())
        #expect(unreadable.isEmpty)
        #expect(try again.query(CatalogueQuery()).map(\.id) == records.map(\.id).sorted())
        #expect(try again.shards().count == 3)
    }

    /// A file that has been touched since its bytes were hashed is hashed again before it is believed.
    @Test func aChangedFileIsNoticedWhenItIsOpened() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let digest = try corpus.append(sampleRecords(3))
        let url = ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards"))
        _ = try corpus.open(digest)
        let whole = try Data(contentsOf: url)
        var bytes = whole
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
        #expect(throws: CorpusError.self) { try corpus.open(digest) }
        try whole.write(to: url)
        #expect(try corpus.open(digest).ids.count == 3)
    }

    @Test func batchesComeInTheOrderAskedFor() throws {
        let folder = try TemporaryFolder()
        let (corpus, records) = try filled(folder)
        let order = [7, 3, 0, 11, 5, 5, 2, 9]
        let reader = SampleReader(corpus)
        let rows = try reader.rows(order.map { records[$0].id })
        var read: [[Float]] = []
        try reader.forEachBatch(rows, of: 3) { range, latents in
            #expect(range.count == latents.count && range.lowerBound == read.count)
            read += latents
        }
        #expect(read == order.map { records[$0].latent })
        #expect(try reader.latents(rows) == read)
    }
}
