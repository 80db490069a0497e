import CorpusStore
import Foundation
import Statistics
import TestSupport
import Testing
import Workflows

@Suite("Agreement of scores with a referee") struct AgreementJobTests {
    private let small: SmallCorpus

    init() throws { small = try SmallCorpus() }

    /// Annotates samples, in the order of prompts and seeds, with values.
    private func annotate(_ values: [Double], as name: String) throws {
        let rows = try small.corpus.query(CatalogueQuery()).sorted { ($0.prompt, $0.seed) < ($1.prompt, $1.seed) }
        try small.corpus.annotate(
            zip(rows, values).map { AnnotationValue(sample: $0.id, value: $1) }, by: name, from: "test")
    }

    private func report(_ referee: String, _ scores: [String]) throws -> AgreementJob.Report {
        try AgreementJob(referee: Referee(referee), scores: scores.map { try ScoreForm($0) }).run(
            in: small.corpus, monitor: Recorder())
    }

    @Test func theFiguresAreThoseByHand() throws {
        try annotate([1, 0, 0, 1, 1, 0], as: "right")
        // In the first prompt the right one is last of three, in the second first and tied with the wrong one.
        try annotate([1, 3, 2, 5, 4, 4], as: "guess")
        let report = try report("right", ["guess"])
        #expect(report.images == 6 && report.prompts == 2)
        #expect(abs((report.mean?.mean ?? 0) - 0.5) < 1e-12)
        let all = try #require(report.agreement.first)
        // (0 + (1 + 0.5) / 2) / 2
        #expect(abs((all.auc?.mean ?? 0) - 0.375) < 1e-12 && all.auc?.count == 2)
        #expect(all.top?.mean == 0.5 && abs((all.chance?.mean ?? 0) - 0.5) < 1e-12)
        let first = RankCorrelation.kendall([1, 3, 2], [1, 0, 0]) ?? 0
        let second = RankCorrelation.kendall([5, 4, 4], [1, 1, 0]) ?? 0
        #expect(abs((all.kendall?.mean ?? 0) - (first + second) / 2) < 1e-12)
    }

    @Test func aChoiceCountsPromptsThatTheRefereeSaysTheSameOf() throws {
        // The second prompt has no right image: it counts for the choice, not for the ranking.
        try annotate([0, 1, 0, 0, 0, 0], as: "right")
        try annotate([1, 3, 2, 5, 4, 4], as: "guess")
        let all = try #require(try report("right", ["guess"]).agreement.first)
        #expect(all.top?.mean == 1 && all.top?.count == 1 && all.auc?.count == 1)
        #expect(all.chosen?.mean == 0.5 && all.chosen?.count == 2)
        // (1 - 1/3 + 0) / 2
        #expect(abs((all.gain?.mean ?? 0) - 1.0 / 3) < 1e-12 && all.gain?.count == 2)
    }

    @Test func aRefereeOfOtherValuesHasNoAUC() throws {
        try annotate([0.2, 0.5, 0.9, 3, 2, 1], as: "taste")
        try annotate([1, 2, 3, 3, 2, 1], as: "guess")
        let all = try #require(try report("taste", ["guess"]).agreement.first)
        #expect(all.auc == nil && all.spearman?.mean == 1 && all.kendall?.mean == 1)
    }

    @Test func aRefereeThatIsConstantWithinPromptsIsNamed() throws {
        try annotate([1, 1, 1, 0, 0, 0], as: "constant")
        let failure = #expect(throws: Failure.self) { try report("constant", ["mi"]) }
        #expect(failure?.description.contains("the same of all images of each prompt") == true)
    }

    @Test func whatHasNoValuesIsNamed() throws {
        try annotate([1, 0, 1, 0], as: "right")
        let failure = #expect(throws: Failure.self) { try report("right", ["mi"]) }
        #expect(failure?.description.contains("2 of 6 images have no value") == true)
        try annotate([1, 0, 1, 0, 1, 1], as: "right")
        #expect(
            #expect(throws: Failure.self) { try report("right", ["contrast"]) }?.description.contains("attune score")
                == true)
        #expect(
            #expect(throws: Failure.self) { try report("right", ["nothing"]) }?.description.contains("is not a score")
                == true)
        // By default all scores that all images have.
        #expect(try report("right", []).agreement.map(\.score) == ["mi"])
    }

    /// What no reader would take is not written either.
    @Test func annotationsThatAreNotFiniteAreRefused() throws {
        try annotate([1, 0, 1, 0, 1, 1], as: "right")
        for bad in [Double.nan, .infinity] {
            let error = #expect(throws: CorpusError.self) { try annotate([1, bad, 3, 4, 5, 6], as: "guess") }
            #expect(error?.description.contains("give finite numbers") == true)
        }
        #expect(try report("right", []).agreement.map(\.score) == ["mi"])
    }

    @Test func settingsOfAScoreComeFromWhatWasMeasured() throws {
        try annotate([1, 0, 1, 0, 1, 1], as: "right")
        var job = ScoringJob(model: ModelSource(folder: Repository.tinySD))
        (job.draws, job.steps, job.negatives, job.negativeCount) = (2, 3, .rules(seed: 0), 2)
        _ = try job.run(in: small.corpus, monitor: Recorder())
        let rows = try small.corpus.query(CatalogueQuery())
        func values(_ text: String) throws -> [Digest: Double] {
            try ScoreForm(text).values(of: rows, in: small.corpus)
        }
        let plain = try values("contrast")
        #expect(try values("contrast:source=rules,tau=0.25") == plain)
        #expect(try values("contrast:tau=5").values.allSatisfy { $0 > -2 })
        #expect(try values("contrast:error=0") == plain)
        try theErrorUnderThePromptCounts(plain, values("contrast:error=0.5"))
        // So many timesteps, spread: all of them is all, and one is another value.
        #expect(try values("contrast:timesteps=9") == plain && values("mc:timesteps=9") == values("mc:above=50"))
        #expect(try values("contrast:timesteps=1").count == 6 && values("contrast:timesteps=1") != plain)
        #expect(try values("contrast:timesteps=0").isEmpty)
        #expect(try values("contrast:source=corpus").isEmpty && values("contrast:above=999").isEmpty)
        #expect(try values("mc:kappa=paper,above=50").count == 6)
        for row in rows {
            let own = try #require(row.mc)
            #expect(try abs((values("mc:above=50")[row.id] ?? 0) - own) < 1e-9 * abs(own))
        }
    }

    /// What is subtracted is half the log of the mean error under the prompt, over the timesteps that count.
    private func theErrorUnderThePromptCounts(_ plain: [Digest: Double], _ less: [Digest: Double]) throws {
        for set in try small.corpus.scores(of: Array(plain.keys)) where set.scorer.negatives != nil {
            for record in set.records {
                let curves = try #require(record.curves)
                // Of each draw and timestep that counts, the first of so many prompts.
                let timesteps = record.draws.flatMap { _ in record.timesteps }
                let own = timesteps.indices.filter { timesteps[$0] > 200 }.map {
                    Double(curves.errors[$0 * curves.prompts])
                }
                let mean = own.reduce(0, +) / Double(own.count)
                let expected = try #require(plain[record.sample]) - 0.5 * log(mean)
                #expect(abs((less[record.sample] ?? .nan) - expected) < 1e-9)
            }
        }
    }

    /// An estimate becomes a column.
    @Test func anEstimateIsKeptAsAnAnnotation() throws {
        var job = ScoringJob(model: ModelSource(folder: Repository.tinySD))
        (job.draws, job.steps, job.negatives, job.negativeCount) = (1, 3, .rules(seed: 0), 2)
        let first = try small.corpus.query(CatalogueQuery())[0]
        job.condition = "id <> '\(first.id.hex)'"
        let form = try ScoreForm("contrast:error=0.3")
        let none = #expect(throws: Failure.self) { try ScoreAnnotationJob(form, scorer: "fit").run(in: small.corpus) }
        #expect(none?.description.contains("attune score --negatives") == true)
        _ = try job.run(in: small.corpus, monitor: Recorder())
        let made = try ScoreAnnotationJob(form, scorer: "fit").run(in: small.corpus)
        #expect(made.samples == 5 && made.missing == 1 && made.revision == 1)
        let rows = try small.corpus.query(CatalogueQuery(condition: "fit < 1000", by: "fit"))
        let values = try form.values(of: rows, in: small.corpus)
        #expect(rows.count == 5 && rows.map { values[$0.id] ?? 0 } == rows.map { values[$0.id] ?? 0 }.sorted(by: >))
        #expect(try ScoreAnnotationJob(form, scorer: "fit").run(in: small.corpus).revision == nil)
        var picked = ScoreAnnotationJob(form, scorer: "other")
        picked.condition = "mi > 1e9"
        let error = #expect(throws: Failure.self) { try picked.run(in: small.corpus) }
        #expect(error?.description.contains("no sample fits") == true)
    }

    /// One image that was measured against more near misses than the others of its prompt keeps to their measure.
    @Test func imagesOfOnePromptAreMeasuredInOneWay() throws {
        var job = ScoringJob(model: ModelSource(folder: Repository.tinySD))
        (job.draws, job.steps, job.negatives, job.negativeCount) = (1, 3, .rules(seed: 0), 2)
        _ = try job.run(in: small.corpus, monitor: Recorder())
        let rows = try small.corpus.query(CatalogueQuery())
        let plain = try ScoreForm("contrast:tau=0.5").values(of: rows, in: small.corpus)
        (job.negativeCount, job.condition) = (5, "id = '\(rows[0].id.hex)'")
        _ = try job.run(in: small.corpus, monitor: Recorder())
        #expect(try small.corpus.scores(of: [rows[0].id]).count == 2)
        #expect(try ScoreForm("contrast:tau=0.5").values(of: rows, in: small.corpus) == plain)
        #expect(try small.corpus.query(CatalogueQuery()).map(\.contrast) == rows.map(\.contrast))
    }

    @Test(
        "Settings that are none are named",
        arguments: [
            ("contrast:tau=0", "above 0"), ("contrast:error=-1", "0 or more"), ("contrast:tau=x", "is not a number"),
            ("contrast:draws=-1", "is not a count"),
            ("contrast:pooling=all", "none of mean, draw"), ("contrast:nonsense", "not of the form key=value"),
            ("contrast:beta=1", "no setting 'beta'"),
            ("mi:tau=1", "only contrast"),
        ])
    func badSettings(text: String, expected: String) {
        let error = #expect(throws: UsageError.self) { try ScoreForm(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }
}
