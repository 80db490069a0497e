import CorpusStore
import Foundation
import Testing

@Suite("Error curves") struct ErrorCurveTests {
    private let schedule = ScheduleDescription(
        betaStart: 0.00085, betaEnd: 0.012, betaSchedule: "scaled_linear", trainTimesteps: 1000)

    private func scorer(draws: Int = 2, count: Int = 3, timesteps: ClosedRange<Int>? = nil) -> Scorer {
        Scorer(
            model: "sha256:test", draws: draws, steps: 2, seed: 42, schedule: schedule,
            negatives: NegativeSource(source: "rules", count: count), timesteps: timesteps)
    }

    private func record(_ sample: Digest, _ negatives: [String], from first: Float, draws: Int = 2) -> ScoreRecord {
        let count = draws * 2 * (2 + negatives.count)
        return ScoreRecord(
            sample: sample, timesteps: [751, 251], draws: Array(repeating: [1, 2], count: draws),
            curves: ErrorCurves(negatives: negatives, errors: (0..<count).map { first + Float($0) }))
    }

    /// The first error, so that a test sees which record counts.
    private struct FirstError: TraceScoring {
        var identity: String { "first error" }

        func scores(
            timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
        ) -> (mi: Double, standardError: Double, reference: Double) { (Double(deltaSquared.first ?? .nan), 0.5, 1) }

        func scores(
            curves: ErrorCurves, timesteps: [Int32], draws: Int, schedule: ScheduleDescription
        ) -> CurveScores {
            CurveScores(
                contrast: Double(curves.errors[0]), contrastError: 0.25, contrastHard: Double(curves.prompts),
                pointwise: .nan)
        }
    }

    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: FirstError())
    }

    @Test func curvesComeBackAsTheyWere() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let samples = try sampleRecords(3)
        try corpus.append(samples)
        // Different numbers of near misses, shared ones, none, and a text that is canonically equivalent to another.
        let records = [
            record(samples[0].id, ["a blue circle", "caf\u{E9}", "cafe\u{301}"], from: 1),
            record(samples[1].id, [], from: 100), record(samples[2].id, ["caf\u{E9}"], from: 200),
        ]
        let digest = try corpus.append(records, by: scorer())
        let found = try corpus.scores(of: samples.map(\.id))
        #expect(found.count == 1 && found[0].scorer == scorer())
        let byID = Dictionary(uniqueKeysWithValues: found[0].records.map { ($0.sample, $0) })
        for record in records {
            let own = try #require(byID[record.sample])
            #expect(own == record)
            #expect(own.curves?.negatives.map { Array($0.utf8) } == record.curves?.negatives.map { Array($0.utf8) })
        }
        #expect(corpus.verify().isEmpty)
        // Readers up to 0.2 take versions up to 3 of any kind of shard for known.
        let file = corpus.folder.appending(path: "shards/\(digest.hex.prefix(2))/\(digest.hex).h5")
        #expect(try Data(contentsOf: file).range(of: Data("version".utf8)) != nil)
        let rows = try corpus.query(CatalogueQuery(by: "contrast"))
        #expect(rows.map(\.contrast) == [200, 100, 1] && rows.map(\.nearMisses) == [1, 0, 3])
        #expect(rows[2].contrastStandardError == 0.25 && rows[2].contrastHard == 5 && rows[2].pointwise == nil)
        #expect(rows[2].mc == 1 && rows[2].mcDraws == 2)
        let again = try Corpus.reindex(at: corpus.folder, scoring: FirstError())
        #expect(try again.corpus.query(CatalogueQuery(by: "contrast")) == rows)
    }

    @Test func moreDrawsAndMoreNearMissesCount() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let sample = try sampleRecords(1)[0]
        try corpus.append([sample])
        func contrast() throws -> Double? { try corpus.query(CatalogueQuery()).first?.contrast }
        try corpus.append([record(sample.id, ["x"], from: 2)], by: scorer(count: 1))
        #expect(try contrast() == 2)
        try corpus.append([record(sample.id, ["x", "y"], from: 3)], by: scorer(count: 2))
        #expect(try contrast() == 3)
        try corpus.append([record(sample.id, ["x"], from: 4, draws: 3)], by: scorer(draws: 3, count: 1))
        #expect(try contrast() == 4)
        // A part of the timesteps says nothing of MI, and traces without curves nothing of contrast.
        try corpus.append([record(sample.id, ["x"], from: 5, draws: 4)], by: scorer(draws: 4, timesteps: 201...999))
        try corpus.append(
            [ScoreRecord(sample: sample.id, timesteps: [751, 251], draws: Array(repeating: [7, 7], count: 9))],
            by: Scorer(model: "sha256:test", draws: 9, steps: 2, seed: 42, schedule: schedule))
        let row = try #require(corpus.query(CatalogueQuery()).first)
        #expect(row.contrast == 5 && row.mc == 7 && row.mcDraws == 9)
        #expect(try corpus.scored([sample.id], by: scorer(count: 1)) == [sample.id])
        #expect(try corpus.scored([sample.id], by: scorer(count: 9)).isEmpty)
    }

    /// More near misses make a contrast smaller: values of one prompt that were measured in two ways would rank by the way.
    @Test func imagesOfOnePromptAreMeasuredInOneWay() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        // Two of one prompt, three of another.
        let samples = try sampleRecords(5)
        try corpus.append(samples)
        func contrasts() throws -> [Double?] {
            let rows = try corpus.query(CatalogueQuery())
            return samples.map { sample in rows.first { $0.id == sample.id }?.contrast }
        }
        try corpus.append(samples.map { record($0.id, ["x"], from: 1) }, by: scorer(count: 1))
        // One image of each prompt has more: the others count.
        let more = try corpus.append(
            [samples[0], samples[2]].map { record($0.id, ["x", "y"], from: 2) }, by: scorer(count: 2))
        #expect(try contrasts() == [1, 1, 1, 1, 1])
        // Now all of the first prompt have more, and two of three of the second.
        try corpus.append([samples[1], samples[3]].map { record($0.id, ["x", "y"], from: 2) }, by: scorer(count: 2))
        #expect(try contrasts() == [2, 2, 1, 1, 1])
        #expect(
            try Corpus.reindex(at: corpus.folder, scoring: FirstError()).corpus.query(CatalogueQuery())
                == corpus.query(CatalogueQuery()))
        // A file that has gone takes its values along, for the whole prompt.
        try FileManager.default.removeItem(
            at: corpus.folder.appending(path: "shards/\(more.hex.prefix(2))/\(more.hex).h5"))
        _ = try Corpus.reindex(at: corpus.folder, scoring: FirstError())
        #expect(try contrasts() == [1, 1, 1, 1, 1])
    }

    @Test func packKeepsCurves() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let samples = try sampleRecords(3)
        try corpus.append(samples)
        for (index, sample) in samples.enumerated() {
            try corpus.append(
                [record(sample.id, index == 1 ? [] : ["n\(index)", "m"], from: Float(index))], by: scorer())
        }
        let before = try corpus.query(CatalogueQuery())
        let known = try corpus.scores(of: samples.map(\.id))
        let report = try corpus.pack()
        #expect(report.replaced == 3 && report.skipped.isEmpty)
        #expect(try corpus.query(CatalogueQuery()).map(\.contrast) == before.map(\.contrast))
        let packed = try corpus.scores(of: samples.map(\.id))
        #expect(packed.map(\.scorer) == known.map(\.scorer) && packed.map(\.records) == known.map(\.records))
        #expect(corpus.verify().isEmpty)
    }

    @Test func annotationsThatAreCalledAsNewColumnsDoNoHarm() throws {
        // 0.2 took the name.
        #expect(Annotations.problem(withStoredName: "contrast") == nil)
        #expect(Annotations.problem(withName: "contrast")?.contains("meaning of its own") == true)
    }
}
