import CorpusStore
import Foundation
import TestSupport
import Testing
import Workflows

@Suite struct ScoringJobTests {
    private func job(_ condition: String? = nil) -> ScoringJob {
        var job = ScoringJob(model: ModelSource(folder: Repository.tinySD))
        (job.condition, job.draws, job.steps, job.batch) = (condition, 2, 3, 2)
        return job
    }

    @Test func scoresOnceAndResumesAfterAStop() throws {
        let small = try SmallCorpus()
        // Asked before every sample: the second batch is given up half way.
        let first = try job().run(in: small.corpus, monitor: Recorder(allowing: 3))
        #expect(!first.isFinished && first.made == 2)
        let recorder = Recorder()
        let second = try job().run(in: small.corpus, monitor: recorder)
        #expect(second.isFinished && second.made == 4 && second.skipped == 2)
        #expect(recorder.total == 6 && recorder.reports.last == 6)
        let rows = try small.corpus.query(CatalogueQuery(condition: "mc IS NOT NULL"))
        #expect(rows.count == 6)
        #expect(rows.allSatisfy { ($0.mc ?? -1) > 0 && ($0.mcStandardError ?? -1) > 0 && $0.mcDraws == 2 })
        #expect(try job().run(in: small.corpus, monitor: Recorder()).skipped == 6)
    }

    @Test func whatCannotBeScoredIsNamed() throws {
        let small = try SmallCorpus()
        let none = #expect(throws: Failure.self) {
            try job("seed > 1000").run(in: small.corpus, monitor: Recorder())
        }
        #expect(none?.description.contains("no sample fits") == true)
        var long = job()
        long.steps = 1001
        #expect(throws: UsageError.self) { try long.run(in: small.corpus, monitor: Recorder()) }
    }
}
