import CorpusStore
import Foundation
import Testing

@Suite struct ScoreTests {
    private let schedule = ScheduleDescription(
        betaStart: 0.00085, betaEnd: 0.012, betaSchedule: "scaled_linear", trainTimesteps: 1000)

    private func scorer(draws: Int) -> Scorer {
        Scorer(model: "sha256:test", draws: draws, steps: 2, seed: 1 << 60, schedule: schedule)
    }

    private func score(_ sample: Digest, _ draws: [[Float]]) -> ScoreRecord {
        ScoreRecord(sample: sample, timesteps: [751, 251], draws: draws)
    }

    @Test func scoresBecomeColumns() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(3)
        try corpus.append(records)
        let (two, three) = (scorer(draws: 2), scorer(draws: 3))
        let first = try corpus.append([score(records[0].id, [[1, 2], [3, 4]])], by: two)
        #expect(try corpus.append([score(records[0].id, [[1, 2], [3, 4]])], by: two) == first)
        var row = try #require(corpus.query(CatalogueQuery(condition: "mc IS NOT NULL")).first)
        #expect(row.id == records[0].id && row.mc == 5 && row.mcReference == 2.5 && row.mcDraws == 2)
        // Draws of 3 and 7: their deviation is √8, the error of their mean √(8/2).
        #expect(row.mcStandardError == 2)
        #expect(row.mi == 9 && row.miSource == "generation", "generation's own trace stays what it is")
        #expect(try corpus.scored(records.map(\.id), by: two) == [records[0].id])
        #expect(try corpus.scored(records.map(\.id), by: three).isEmpty)

        try corpus.append([score(records[0].id, [[1, 1], [1, 1], [1, 1]])], by: three)
        row = try #require(corpus.query(CatalogueQuery(condition: "mc IS NOT NULL")).first)
        #expect(row.mc == 2 && row.mcDraws == 3, "more draws are the better measurement")
        #expect(corpus.verify().isEmpty)
    }

    @Test func aScoreIsTheMIOfASampleWithoutATrace() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: EmptyIsUnknown())
        var records = try sampleRecords(1)
        (records[0].timesteps, records[0].deltaSquared) = ([], [])
        // The order of arrival does not matter: scores may be pulled before their samples.
        try corpus.append([score(records[0].id, [[1, 2]])], by: scorer(draws: 1))
        try corpus.append(records)
        let row = try #require(corpus.query(CatalogueQuery()).first)
        #expect(row.mi == 3 && row.miSource == "monte-carlo")
        let again = try Corpus.reindex(at: corpus.folder, scoring: EmptyIsUnknown())
        #expect(again.unreadable.isEmpty)
        #expect(try again.corpus.query(CatalogueQuery()) == [row])
    }
}

private struct EmptyIsUnknown: TraceScoring {
    var identity: String { "empty is unknown" }

    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) {
        guard !deltaSquared.isEmpty else { return (.nan, .nan, .nan) }
        let sum = deltaSquared.reduce(0.0) { $0 + Double($1) }
        return (sum, .nan, sum)
    }
}
