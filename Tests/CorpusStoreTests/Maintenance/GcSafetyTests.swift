import CorpusStore
import DiskAccess
import Foundation
import Testing

/// What gc must never remove, whatever runs beside it.
@Suite struct GcSafetyTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
    }

    /// A run's folder that may not be read, and one whose listing fails: a link that leads to itself is both, for root too.
    @Test(arguments: ["runs/r/log.jsonl", "runs/r", "runs", "refs/best.json", "refs"])
    func nothingGoesWhereSomethingCannotBeLookedAt(path: String) throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(3))
        try corpus.store(corpus.resolve(CatalogueQuery(condition: "seed = 42")), as: "best")
        try corpus.store(corpus.resolve(CatalogueQuery(condition: "seed = 43")))
        let place = corpus.folder.appending(path: path)
        // gc takes its locks in refs/, so there only the listing fails.
        if path == "refs" {
            let plan = FaultPlan([.readdir], try passage(of: place, corpus), code: EIO)
            #expect(throws: CorpusError.self) {
                try Faults.$plan.withValue(plan) { try corpus.gc(GcOptions(keep: [], grace: 0)) }
            }
        } else {
            try? FileManager.default.removeItem(at: place)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(at: place, withDestinationURL: place)
            #expect(throws: CorpusError.self) { try corpus.gc(GcOptions(keep: [], grace: 0)) }
            #expect(!corpus.verify().isEmpty)
        }
        #expect(try corpus.query(CatalogueQuery()).count == 3 && corpus.shards().count == 1)
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: corpus.folder.appending(path: "selections").path
            ).count == 2)
    }

    /// Which listing of a gc is that of a folder.
    private func passage(of place: URL, _ corpus: Corpus) throws -> Int {
        let trace = corpus.folder.deletingLastPathComponent().appending(path: "trace")
        try Faults.$plan.withValue(#require(FaultPlan("trace:\(trace.path)"))) {
            _ = try corpus.gc(GcOptions(keep: [], grace: 0, isTrial: true))
        }
        let lines = try String(contentsOf: trace, encoding: .utf8).split(separator: "\n")
        return try #require(lines.filter { $0.hasPrefix("readdir ") }.firstIndex { $0.hasSuffix(place.path) }) + 1
    }

    /// Made between the condition and the removal.
    @Test func whatIsMadeWhileGcLooksStays() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(6)
        try corpus.append(Array(records[..<3]))
        var hasMade = false
        let report = try corpus.gc(GcOptions(keep: ["seed >= 42"], grace: 0)) { done, _ in
            // Told of the beginning once the conditions are resolved and the shards are known.
            if done == 0, !hasMade {
                hasMade = true
                do { try corpus.append(Array(records[3...])) } catch { Issue.record(error) }
            }
        }
        #expect(hasMade && report.samples.isEmpty)
        #expect(try corpus.query(CatalogueQuery()).count == 6 && corpus.verify().isEmpty)
    }

    @Test func scoresLiveAsLongAsTheirSamples() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(4)
        try corpus.append(Array(records[..<2]))
        try corpus.append(records.map(ScoreRecord.init(of:)), by: .test)
        Thread.sleep(forTimeInterval: 1.2)
        // As `pack` does, which makes the samples' shards young and leaves the scores old.
        try corpus.append(Array(records[2...]))
        let report = try corpus.gc(GcOptions(keep: [], grace: 1))
        #expect(Set(report.samples) == Set(records[..<2].map(\.id)))
        let rows = try corpus.query(CatalogueQuery())
        #expect(rows.count == 2 && rows.allSatisfy { $0.mc != nil })
        let made = try Corpus.reindex(at: corpus.folder, scoring: SumScoring()).corpus.query(CatalogueQuery())
        #expect(made.map(\.mc) == rows.map(\.mc) && made.map(\.id) == rows.map(\.id))
        // And no longer.
        let last = try corpus.gc(GcOptions(keep: [], grace: 0))
        #expect(last.samples.count == 2)
        #expect(try corpus.shards().isEmpty)
    }

    @Test func aRowsMeasurementsFollowItsScores() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(2)
        try corpus.append(records)
        let scores = try corpus.append(records.map(ScoreRecord.init(of:)), by: .test)
        #expect(try corpus.query(CatalogueQuery(condition: "mc IS NOT NULL")).count == 2)
        let place = ShardWriter.location(of: scores, in: corpus.folder.appending(path: "shards"))
        try Data("damaged".utf8).write(to: place)
        let damage = corpus.verify()
        #expect(damage.count == 1)
        #expect(try corpus.repair(damage, from: nil).map(\.action) == [.quarantined])
        let rows = try corpus.query(CatalogueQuery())
        #expect(rows.count == 2 && rows.allSatisfy { $0.mc == nil })
        let made = try Corpus.reindex(at: corpus.folder, scoring: SumScoring()).corpus.query(CatalogueQuery())
        #expect(made == rows)
    }

    /// Two hosts, a catalogue each.
    @Test func anotherHostsRemovalsAreTakenInBeforeASelectionIsWritten() throws {
        let folder = try TemporaryFolder()
        let place = folder.url.appending(path: "c")
        let (a, b) = (
            Surroundings(host: "a", boot: "1", isShared: true), Surroundings(host: "b", boot: "2", isShared: true)
        )
        let first = try Surroundings.$current.withValue(a) { try Corpus.create(at: place, scoring: SumScoring()) }
        try first.append(sampleRecords(3))
        let second = try Surroundings.$current.withValue(b) { try Corpus(at: place, scoring: SumScoring()) }
        let all = try second.resolve(CatalogueQuery())
        #expect(all.ids.count == 3)
        try Surroundings.$current.withValue(a) { _ = try first.gc(GcOptions(keep: ["seed = 42"], grace: 0)) }
        let error = #expect(throws: CorpusError.self) { try second.store(all, as: "all") }
        #expect(error?.message.contains("went while it was being selected") == true)
        #expect(try second.selectionNames().isEmpty && second.verify().isEmpty)
        let left = try second.resolve(CatalogueQuery())
        try second.store(left, as: "all")
        #expect(left.ids.count == 1)
    }

    @Test func aTrialRemovesNothingAtAll() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(2))
        let dead = ["tmp/live-\(AtomicFiles.host)-0-left", "leases/live-\(AtomicFiles.host)-0-left-1"]
            .map { corpus.folder.appending(path: $0) }
        for url in dead {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("{}".utf8).write(to: url)
        }
        let report = try corpus.gc(GcOptions(keep: [], grace: 0, isTrial: true))
        #expect(report.samples.count == 2 && report.unfinished == 1)
        #expect(dead.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
        #expect(try corpus.shards().count == 1)
        // A dead lease protects nothing, and goes.
        #expect(try corpus.gc(GcOptions(keep: [], grace: 0)).samples.count == 2)
        #expect(dead.allSatisfy { !FileManager.default.fileExists(atPath: $0.path) })
    }

    /// Without a lock nobody knows whether a lease of a version before them holds.
    @Test func aLeaseOfAnOlderVersionProtects() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let lease = corpus.folder.appending(path: "leases/999999999-\(AtomicFiles.host)-x")
        try FileManager.default.createDirectory(
            at: lease.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: lease)
        try corpus.append(sampleRecords(2))
        #expect(try corpus.gc(GcOptions(keep: [], grace: 0)).samples.isEmpty)
        #expect(FileManager.default.fileExists(atPath: lease.path))
    }

    @Test func aDownloadInProgressStays() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let file = corpus.files.temporaryFolder.appending(path: "pull_ab")
        try Data("half".utf8).write(to: file)
        let lock = try DiskLock(waitingFor: file.path + AtomicFiles.lockEnding)
        #expect(try corpus.gc(GcOptions(grace: 0)).unfinished == 0)
        #expect(FileManager.default.fileExists(atPath: file.path))
        withExtendedLifetime(lock) {}
    }

    @Test func eachConditionStandsAlone() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(4))
        let comment = try corpus.gc(GcOptions(keep: ["seed = 42 -- best", "seed = 43"], grace: 0, isTrial: true))
        #expect(comment.samples.count == 2)
        #expect(throws: CorpusError.self) {
            try corpus.gc(GcOptions(keep: ["seed > 1000) --", "seed = 43"], grace: 0))
        }
        #expect(try corpus.query(CatalogueQuery()).count == 4)
    }

    /// A sample that two shards hold is there as long as one of them is.
    @Test func aSampleInTwoShardsStaysWithTheYounger() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(4)
        try corpus.append(Array(records[..<3]))
        Thread.sleep(forTimeInterval: 1.2)
        try corpus.append([records[2], records[3]])
        try corpus.gc(GcOptions(keep: [], grace: 1))
        let rows = try corpus.query(CatalogueQuery())
        #expect(Set(rows.map(\.id)) == Set(records[2...].map(\.id)))
        #expect(
            try corpus.summary().prompts
                == Corpus.reindex(at: corpus.folder, scoring: SumScoring()).corpus.summary().prompts)
    }
}

extension Scorer {
    fileprivate static let test = Scorer(
        model: "sha256:test", draws: 1, steps: 2, seed: 7,
        schedule: ScheduleDescription(
            betaStart: 0.00085, betaEnd: 0.012, betaSchedule: "scaled_linear", trainTimesteps: 1000))
}

extension ScoreRecord {
    fileprivate init(of record: SampleRecord) {
        self.init(sample: record.id, timesteps: [751, 251], draws: [[Float(record.recipe.seed % 7), 2]])
    }
}
