import CorpusStore
import Foundation
import Testing

@Suite struct GcTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> (Corpus, [SampleRecord]) {
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(6)
        try corpus.append(Array(records[..<3]))
        try corpus.append(Array(records[3...]))
        return (corpus, records)
    }

    @Test func withoutAKeepRuleEverySampleStays() throws {
        let folder = try TemporaryFolder()
        let (corpus, _) = try corpus(folder)
        let shards = try corpus.shards()
        let report = try corpus.gc(GcOptions(grace: 0))
        #expect(try report.samples.isEmpty && report.shards.isEmpty && corpus.shards() == shards)
    }

    @Test func whatNothingReachesGoes() throws {
        let folder = try TemporaryFolder()
        let (corpus, records) = try corpus(folder)
        let best = try corpus.resolve(CatalogueQuery(by: "mi", top: 1))
        try corpus.store(best, as: "best")
        try corpus.store(corpus.resolve(CatalogueQuery(by: "mi", top: 3)))
        let options = GcOptions(keep: ["seed = 42"], grace: 0)
        var trial = options
        trial.isTrial = true
        let planned = try corpus.gc(trial)
        #expect(try corpus.shards().count == 2 && planned.samples.count == 4)
        let report = try corpus.gc(options)
        #expect(Set(report.samples) == Set(planned.samples) && report.selections == planned.selections)
        #expect(report.selections.count == 1)
        #expect(Set(try corpus.query(CatalogueQuery()).map(\.id)) == [records[0].id, best.ids[0]])
        #expect(corpus.verify().isEmpty)
        #expect(try Corpus.reindex(at: corpus.folder, scoring: SumScoring()).corpus.query(CatalogueQuery()).count == 2)
        let reader = SampleReader(corpus)
        #expect(try reader.record(reader.rows([best.ids[0]])[0]).id == best.ids[0])
    }

    @Test func earlierSelectionsRunsAndCombinationsAreLive() throws {
        let folder = try TemporaryFolder()
        let (corpus, records) = try corpus(folder)
        let first = try corpus.resolve(CatalogueQuery(condition: "seed = 43"))
        try corpus.store(first, as: "best")
        try corpus.store(corpus.resolve(CatalogueQuery(condition: "seed = 44")), as: "best")
        let read = try corpus.resolve(CatalogueQuery(condition: "seed = 45"))
        try corpus.store(read)
        let part = try corpus.resolve(CatalogueQuery(condition: "seed = 46"))
        try corpus.store(part)
        try corpus.store(Selection(.union, of: [first, part]), as: "both")
        let line = LineSum.seal(Data(#"{"event":"resolution","selection":"\#(read.digest)"}"#.utf8))
        try corpus.files.write(line + Data("\n".utf8), to: corpus.folder.appending(path: "runs/r/log.jsonl"))
        let report = try corpus.gc(GcOptions(keep: [], grace: 0))
        #expect(Set(report.samples) == [records[0].id, records[5].id])
        #expect(report.selections.isEmpty)
        #expect(corpus.verify().isEmpty)
    }

    @Test func youthAndLeasesProtect() throws {
        let folder = try TemporaryFolder()
        let (corpus, _) = try corpus(folder)
        #expect(try corpus.gc(GcOptions(keep: [])).samples.isEmpty)
        // A lease reaches back by a second, since the clock of files may be late.
        Thread.sleep(forTimeInterval: 1.5)
        let lease = try corpus.lease()
        try corpus.append([try sampleRecords(7)[6]])
        let loose = try corpus.resolve(CatalogueQuery(condition: "seed = 42"))
        try corpus.store(loose)
        // What is older than the lease goes, but for what a selection that is younger has.
        let report = try corpus.gc(GcOptions(keep: [], grace: 0))
        #expect(report.samples.count == 5 && report.selections.isEmpty)
        withExtendedLifetime(lease) {}
        #expect(corpus.verify().isEmpty)
    }

    @Test func nothingGoesWhileANameCannotBeRead() throws {
        let folder = try TemporaryFolder()
        let (corpus, _) = try corpus(folder)
        try Data("[{".utf8).write(to: corpus.folder.appending(path: "refs/best.json"))
        #expect(throws: CorpusError.self) { try corpus.gc(GcOptions(keep: [], grace: 0)) }
        #expect(try corpus.shards().count == 2)
    }

    @Test func aSelectionOfWhatHasGoneIsRefused() throws {
        let folder = try TemporaryFolder()
        let (corpus, _) = try corpus(folder)
        let all = try corpus.resolve(CatalogueQuery())
        try corpus.gc(GcOptions(keep: ["seed = 42"], grace: 0))
        #expect(throws: CorpusError.self) { try corpus.store(all, as: "all") }
        #expect(try corpus.selectionNames().isEmpty && corpus.verify().isEmpty)
    }

    @Test func unfinishedWritesAreSwept() throws {
        let folder = try TemporaryFolder()
        let (corpus, _) = try corpus(folder)
        let elsewhere = corpus.folder.appending(path: "tmp/12-otherhost-x")
        try Data("half".utf8).write(to: elsewhere)
        #expect(try corpus.gc().unfinished == 0)
        #expect(try corpus.gc(GcOptions(grace: 0)).unfinished == 1)
        #expect(!FileManager.default.fileExists(atPath: elsewhere.path))
    }
}
