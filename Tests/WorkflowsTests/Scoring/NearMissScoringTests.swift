import CorpusStore
import Foundation
import TestSupport
import Testing
import Tuning
import Workflows

@Suite("Scoring against near misses") struct NearMissScoringTests {
    private func job(_ source: NearMissSource?, count: Int = 3) -> ScoringJob {
        var job = ScoringJob(model: ModelSource(folder: Repository.tinySD))
        (job.draws, job.steps, job.batch, job.negatives, job.negativeCount) = (1, 3, 2, source, count)
        return job
    }

    @Test func everySampleIsMeasuredOnceAgainstTheSameNearMisses() throws {
        let small = try SmallCorpus()
        let first = try job(.rules(seed: 0)).run(in: small.corpus, monitor: Recorder(allowing: 3))
        #expect(!first.isFinished && first.made == 2)
        let second = try job(.rules(seed: 0)).run(in: small.corpus, monitor: Recorder())
        #expect(second.isFinished && second.made == 4 && second.skipped == 2)
        let rows = try small.corpus.query(CatalogueQuery())
        #expect(rows.allSatisfy { $0.nearMisses == 3 && $0.contrast.map { $0 < 0 } == true && $0.mc != nil })
        #expect(rows.allSatisfy { $0.contrastHard != nil && $0.pointwise != nil })
        let records = try small.corpus.scores(of: rows.map(\.id)).flatMap(\.records)
        for (prompt, own) in Dictionary(grouping: rows, by: \.prompt) {
            let lists = records.filter { record in own.contains { $0.id == record.sample } }.map {
                $0.curves?.negatives
            }
            #expect(lists.count == 3 && Set(lists).count == 1 && lists[0]?.contains(prompt) == false)
        }
        // The trace beside the errors is the one that plain scoring measures.
        _ = try job(nil).run(in: small.corpus, monitor: Recorder())
        let sets = try small.corpus.scores(of: rows.map(\.id))
        #expect(sets.count == 2)
        for (a, b) in zip(sets[0].records, sets[1].records) {
            for (x, y) in zip(a.draws[0], b.draws[0]) { #expect(abs(x - y) < 1e-3 * max(x, y)) }
        }
        #expect(small.corpus.verify().isEmpty)
    }

    @Test func thePromptsOfTheCorpusAreNearMissesOfEachOther() throws {
        let small = try SmallCorpus()
        _ = try job(.corpus).run(in: small.corpus, monitor: Recorder())
        let rows = try small.corpus.query(CatalogueQuery())
        #expect(rows.allSatisfy { $0.nearMisses == 1 })
        var one = job(.corpus)
        one.condition = "seed = 42"
        let alone = try Corpus.create(at: small.scratch.url("alone"), scoring: TraceScores())
        try alone.append([try Made.record(1)])
        let failure = #expect(throws: Failure.self) { try one.run(in: alone, monitor: Recorder()) }
        #expect(
            failure?.description.contains("no sample fits") == true
                || failure?.description.contains("one prompt") == true)
    }

    @Test func promptsWithoutNearMissesAreNamed() throws {
        let small = try SmallCorpus()
        let file = try small.scratch.file(
            "near.jsonl",
            "{\"prompt\": \"a red circle\", \"negatives\": [\"a blue circle\", \"a red circle\", \"a red star\", \"a red star\"]}\n\n"
        )
        let recorder = Recorder()
        _ = try job(.file(URL(fileURLWithPath: file))).run(in: small.corpus, monitor: recorder)
        let rows = try small.corpus.query(CatalogueQuery())
        #expect(rows.allSatisfy { $0.nearMisses == ($0.prompt == "a red circle" ? 2 : 0) })
        #expect(rows.allSatisfy { ($0.contrast != nil) == ($0.prompt == "a red circle") && $0.pointwise != nil })
        #expect(recorder.warnings.contains { $0.contains("'a star and a cross' has no near misses") })
    }

    @Test(
        "A list of near misses that cannot be used is named",
        arguments: [
            ("nonsense", "line 1 is not"), ("{\"prompt\": \"a\"}", "line 1 is not"), ("\n", "has no near-miss prompts"),
        ])
    func badLists(text: String, expected: String) throws {
        let small = try SmallCorpus()
        let file = try small.scratch.file("near.jsonl", text)
        let error = #expect(throws: NegativePromptsError.self) {
            try job(.file(URL(fileURLWithPath: file))).run(in: small.corpus, monitor: Recorder())
        }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
        #expect(try small.corpus.query(CatalogueQuery(condition: "near_misses IS NOT NULL")).isEmpty)
    }

    @Test func theBestAreSettledWithLess() throws {
        let small = try SmallCorpus()
        var job = job(.rules(seed: 0))
        (job.steps, job.settled) = (12, 1)
        let stopped = try job.run(in: small.corpus, monitor: Recorder(allowing: 20))
        #expect(!stopped.isFinished && stopped.made == 0)
        let recorder = Recorder()
        #expect(try job.run(in: small.corpus, monitor: recorder).made == 6)
        #expect(recorder.warnings.contains { $0.hasPrefix("settled with ") })
        #expect(try job.run(in: small.corpus, monitor: Recorder()).skipped == 6)
        let rows = try small.corpus.query(CatalogueQuery())
        // Those that were measured everywhere have the values that they would have had anyway.
        let kept = rows.filter { $0.contrast != nil }
        #expect(Set(kept.map(\.prompt)).count == 2 && rows.allSatisfy { $0.mc == nil && $0.nearMisses == 3 })
        job.settled = nil
        let whole = try SmallCorpus()
        _ = try job.run(in: whole.corpus, monitor: Recorder())
        let all = try whole.corpus.query(CatalogueQuery())
        for row in kept {
            let same = try #require(all.first { $0.prompt == row.prompt && $0.seed == row.seed })
            #expect(abs((row.contrast ?? 0) - (same.contrast ?? 1)) < 1e-3)
        }
    }

    /// Another measurement than one by contrast alone, which the scorer's record tells.
    @Test func theBestCanBeToldWithTheLikelihood() throws {
        let small = try SmallCorpus()
        var job = job(.rules(seed: 0))
        (job.steps, job.settled, job.settledBy) = (12, 1, ContrastRanking(errorWeight: 0.3))
        #expect(try job.run(in: small.corpus, monitor: Recorder()).made == 6)
        #expect(try job.run(in: small.corpus, monitor: Recorder()).skipped == 6)
        let ids = try small.corpus.query(CatalogueQuery()).map(\.id)
        #expect(try small.corpus.scores(of: ids).map(\.scorer.settledErrorWeight) == [0.3])
        job.settledBy = ContrastRanking()
        #expect(try job.run(in: small.corpus, monitor: Recorder()).made == 6)
        let reader = try JSONDecoder().decode(
            Scorer.self,
            from: try #require(try small.corpus.scores(of: ids).first { $0.scorer.settledErrorWeight > 0 }).scorer.json
                .data)
        #expect(reader.settled == 1 && reader.settledErrorWeight == 0.3)
    }

    @Test func aRangeWithoutTimestepsIsRefused() throws {
        let small = try SmallCorpus()
        var job = job(.rules(seed: 0))
        job.timesteps = 998...999
        #expect(throws: UsageError.self) { try job.run(in: small.corpus, monitor: Recorder()) }
        job.timesteps = 300...999
        _ = try job.run(in: small.corpus, monitor: Recorder())
        #expect(try small.corpus.query(CatalogueQuery()).allSatisfy { $0.contrast != nil && $0.mc == nil })
    }
}
