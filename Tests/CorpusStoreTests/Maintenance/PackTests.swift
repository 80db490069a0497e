import CorpusStore
import Foundation
import Testing

@Suite struct PackTests {
    private func corpus(_ folder: borrowing TemporaryFolder, _ name: String = "c") throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: name), scoring: SumScoring())
    }

    private func fill(_ corpus: Corpus, _ records: [SampleRecord]) throws {
        for record in records { try corpus.append([record]) }
    }

    @Test func manyShardsBecomeOneWithTheSameSamples() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(6)
        try fill(corpus, records)
        let before = try corpus.query(CatalogueQuery(by: "mi"))
        let reader = SampleReader(corpus)
        let rows = try reader.rows(records.map(\.id))
        let trial = try corpus.pack(isTrial: true)
        #expect(try trial.replaced == 6 && corpus.shards().count == 6)
        let report = try corpus.pack()
        #expect(try report.replaced == 6 && report.made == corpus.shards() && report.skipped.isEmpty)
        let after = try corpus.query(CatalogueQuery(by: "mi"))
        #expect(after.map(\.id) == before.map(\.id) && after.map(\.mi) == before.map(\.mi))
        #expect(corpus.verify().isEmpty)
        // A reader that looked the samples up before finds them where they are now.
        #expect(try reader.latents(rows) == records.map(\.latent))
        #expect(try rows.map { try reader.image($0) } == records.map(\.png))
        #expect(try corpus.pack().replaced == 0)
        #expect(
            try Corpus.reindex(at: corpus.folder, scoring: SumScoring()).corpus.query(CatalogueQuery(by: "mi")) == after
        )
    }

    @Test func theSameSamplesGiveTheSameShards() throws {
        let folder = try TemporaryFolder()
        let (first, second) = (try corpus(folder, "a"), try corpus(folder, "b"))
        let records = try sampleRecords(6)
        try fill(first, records)
        try fill(second, records.reversed())
        try first.pack()
        try second.pack()
        #expect(try first.shards() == second.shards())
    }

    @Test func shardsOfHalfTheSizeStayAsTheyAre() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try fill(corpus, sampleRecords(6))
        // Some samples each: one weighs a bit under a kilobyte.
        let report = try corpus.pack(target: 2500)
        #expect((2...3).contains(report.made.count) && report.replaced == 6)
        #expect(try Set(corpus.shards()) == Set(report.made))
        #expect(try corpus.pack(target: 2500).replaced == 0)
        #expect(corpus.verify().isEmpty)
    }

    @Test func scoresOfOneScorerAreMerged() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(4)
        try corpus.append(records)
        let schedule = ScheduleDescription(
            betaStart: 0.001, betaEnd: 0.01, betaSchedule: "linear", trainTimesteps: 1000)
        for seed in [UInt64(1), 2] {
            let scorer = Scorer(model: "sha256:m", draws: 1, steps: 2, seed: seed, schedule: schedule)
            for record in records {
                try corpus.append(
                    [ScoreRecord(sample: record.id, timesteps: [900, 100], draws: [[1, Float(seed)]])], by: scorer)
            }
        }
        let before = try corpus.query(CatalogueQuery())
        let report = try corpus.pack()
        #expect(report.made.count == 2 && report.replaced == 8)
        #expect(try corpus.query(CatalogueQuery()) == before)
        #expect(corpus.verify().isEmpty)
    }

    @Test func damageIsLeftForVerifyToName() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try fill(corpus, sampleRecords(4))
        let bad = try corpus.shards()[1]
        let url = ShardWriter.location(of: bad, in: corpus.folder.appending(path: "shards"))
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
        let report = try corpus.pack()
        #expect(report.replaced == 3 && report.skipped.count == 1)
        #expect(try Set(corpus.shards()) == [bad, report.made[0]])
        #expect(corpus.verify().compactMap(\.digest) == [bad])
    }

    /// As a kill between sealing the new shard and noting it leaves a corpus.
    @Test func shardsThatAnotherHoldsAreRedundant() throws {
        let folder = try TemporaryFolder()
        let (whole, cut) = (try corpus(folder, "a"), try corpus(folder, "b"))
        let records = try sampleRecords(6)
        try fill(whole, records)
        try fill(cut, records)
        try whole.pack()
        let made = try whole.shards()[0]
        try cut.files.write(
            Data(contentsOf: ShardWriter.location(of: made, in: whole.folder.appending(path: "shards"))),
            to: ShardWriter.location(of: made, in: cut.folder.appending(path: "shards")))
        let again = try Corpus(at: cut.folder, scoring: SumScoring())
        #expect(try again.shards().count == 7)
        #expect(try again.pack().redundant == 6)
        #expect(try again.shards() == [made])
        #expect(again.verify().isEmpty)
        #expect(try again.query(CatalogueQuery()).count == 6)
    }

    /// A catalogue that another host keeps knows the old shards only.
    @Test func anotherCatalogueFollows() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(6)
        try fill(corpus, records)
        let other = folder.url.appending(path: "other")
        try FileManager.default.copyItem(at: corpus.folder, to: other)
        try corpus.pack(target: 2500)
        try corpus.append(
            [records[0]].map { record in
                var record = record
                record.recipe.seed = 99
                return record
            })
        try corpus.pack()
        // The other catalogue beside the shards as they are now.
        for name in ["shards", "retired"] {
            try? FileManager.default.removeItem(at: other.appending(path: name))
            try FileManager.default.copyItem(
                at: corpus.folder.appending(path: name), to: other.appending(path: name))
        }
        let there = try Corpus(at: other, scoring: SumScoring())
        #expect(try there.query(CatalogueQuery()).map(\.id) == corpus.query(CatalogueQuery()).map(\.id))
        #expect(there.verify().isEmpty)
        let reader = SampleReader(there)
        #expect(try reader.latents(reader.rows(records.map(\.id))) == records.map(\.latent))
    }
}
