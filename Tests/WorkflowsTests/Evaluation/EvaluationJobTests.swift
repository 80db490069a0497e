import CorpusStore
import Foundation
import Statistics
import Shapes
import TestSupport
import Testing
import Workflows

@Suite("evaluate") struct EvaluationJobTests {
    private let scratch: Scratch
    private let corpus: Corpus

    init() throws {
        scratch = try Scratch()
        corpus = try Corpus.create(at: scratch.url("corpus"), scoring: TraceScores())
    }

    private func job(_ prompts: String = "a star and a cross\none red circle\n") throws -> EvaluationJob {
        var job = EvaluationJob(
            model: ModelSource(folder: Repository.tinySD),
            prompts: URL(fileURLWithPath: try scratch.file("prompts.txt", prompts)))
        (job.imagesPerPrompt, job.guidance, job.steps, job.batch, job.resamples) = (3, [1, 4], 4, 4, 200)
        return job
    }

    @Test func figuresAreThoseOfTheImages() throws {
        var job = try job()
        (job.negatives, job.negativeCount) = (.rules(seed: 0), 2)
        let recorder = Recorder()
        let (found, name, outcome) = try job.run(in: corpus, monitor: recorder)
        let report = try #require(found)
        #expect(outcome.made == 12 && outcome.isFinished && recorder.total == 24 && recorder.reports.last == 24)
        #expect(report.settings.referee == "shapes")
        #expect(
            report.scores.starts(with: ["shapes"]) && report.scores.contains("contrast") && report.scores.contains("mc")
        )
        // Without guidance generation leaves no trace, but score's traces stand in for it.
        #expect(report.scores.contains("mi"))
        let rows = try corpus.query(CatalogueQuery(condition: "guidance = 4"))
        let byPrompt = Dictionary(grouping: rows, by: \.prompt).mapValues { own in
            own.compactMap(\.contrast).reduce(0, +) / Double(own.count)
        }
        let mean = byPrompt.values.reduce(0, +) / 2
        let result = try #require(
            report.results.first { $0.guidance == 4 && $0.score == "contrast" && $0.category == "all" })
        #expect(abs(result.value.mean - mean) < 1e-9 && result.value.count == 2 && result.images == 6)
        #expect(result.value.low <= mean && mean <= result.value.high)
        #expect(Set(report.results.map(\.category)) == ["all", "shape", "counting"])
        #expect(report.best.map(\.model) == ["base"])
        #expect(report.prompts.count == 4)
        // The judge's verdicts are annotations.
        #expect(try corpus.scorers() == ["shapes"])
        // Kept, and the same when it is made again: nothing is generated or judged twice.
        let again = try job.run(in: corpus, monitor: Recorder())
        #expect(again.outcome.made == 0 && again.outcome.skipped == 12 && again.name == name)
        let stored = try #require(try StoredEvaluations.report(named: name, in: corpus))
        #expect(stored.results.map(\.value) == report.results.map(\.value) && stored.settings == report.settings)
        #expect(corpus.verify().isEmpty)
    }

    @Test(.enabled(if: Programs.hasJSONSchema, "a Python with jsonschema is needed: make setup-python"))
    func theDocumentFitsItsSchema() throws {
        var job = try job()
        (job.name, job.negatives, job.negativeCount) = ("mine", .rules(seed: 0), 2)
        _ = try job.run(in: corpus, monitor: Recorder())
        let script = Repository.root.appending(path: "Tests/Interop/check_documents.py").path
        let outcome = try Programs.run(
            try #require(Programs.python), [script, "evaluation=\(corpus.folder.path)/evaluations"])
        #expect(
            outcome.status == 0 && outcome.output.hasPrefix("1 documents, 0 wrong"),
            "\(outcome.output)\(outcome.errors)")
    }

    /// Parts make the shards of one process, and the last of them its report.
    @Test func partsMakeTheReportOfOne() throws {
        var job = try job()
        (job.negatives, job.negativeCount) = (.rules(seed: 0), 2)
        let whole = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        let shared = try Corpus.create(at: scratch.url("shared"), scoring: TraceScores())
        func part(_ index: Int, stopping: Int = .max) throws -> (EvaluationReport?, WorkOutcome) {
            var part = job
            part.part = Part(index: index, count: 2)
            let (report, _, outcome) = try part.run(in: shared, monitor: Recorder(allowing: stopping))
            return (report, outcome)
        }
        let (first, begun) = try part(2)
        // Of two batches an evaluation of one scale has, the second, of two images.
        #expect(first == nil && begun.isFinished && begun.made == 4)
        let (stopped, outcome) = try part(1, stopping: 1)
        #expect(stopped == nil && !outcome.isFinished && outcome.made == 4)
        let (last, end) = try part(1)
        #expect(end.made == 4 && end.skipped == 4)
        let report = try #require(last)
        #expect(report.results.map(\.value) == whole.results.map(\.value) && report.settings == whole.settings)
        let images = { (corpus: Corpus) in
            try Set(corpus.query(CatalogueQuery()).map(\.shard))
        }
        #expect(try images(shared) == images(corpus))
        #expect(try part(2).0 != nil)
    }

    /// Prompts that share their noise would share what it does.
    @Test func promptsHaveSeedsOfTheirOwn() throws {
        var job = try job()
        (job.imagesPerPrompt, job.guidance, job.name) = (2, [4], "own")
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        #expect(report.settings.seeds == "own")
        let seeds = Dictionary(grouping: try corpus.query(CatalogueQuery()), by: \.prompt)
            .mapValues { Set($0.compactMap { UInt64($0.seed) }) }
        #expect(seeds.count == 2 && seeds.values.allSatisfy { $0.count == 2 && $0.allSatisfy { $0 < 1 << 53 } })
        #expect(Set(seeds.values.joined()).count == 4)
        // Shared ones are another evaluation.
        job.seeds = .shared
        #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
        // A prompt's images do not depend on those of others, nor on how many there are.
        var alone = try self.job("one red circle\n")
        (alone.imagesPerPrompt, alone.guidance) = (3, [4])
        let outcome = try alone.run(in: corpus, monitor: Recorder()).outcome
        #expect(outcome.made == 1 && outcome.skipped == 2)
    }

    @Test func aStopLosesNothing() throws {
        let job = try job()
        let first = try job.run(in: corpus, monitor: Recorder(allowing: 1))
        #expect(first.report == nil && !first.outcome.isFinished && first.outcome.made == 4)
        let second = try job.run(in: corpus, monitor: Recorder())
        #expect(second.report != nil && second.outcome.made == 8 && second.outcome.skipped == 4)
    }

    @Test func categoriesComeFromTheFile() throws {
        var job = try job("one red circle\tfew\na star and a cross\tmany\nthree pink stars\tmany\n")
        job.guidance = [4]
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        #expect(Set(report.results.map(\.category)) == ["all", "few", "many"])
        #expect(report.results.first { $0.category == "many" }?.value.count == 2)
    }

    @Test func aScoreWithoutValuesIsNamed() throws {
        var job = try job()
        job.scores = [try ScoreForm("contrast:tau=2")]
        let failure = #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
        #expect(failure?.description.contains("12 of 12 images have no value") == true)
        job.scores = [try ScoreForm("beauty")]
        #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
        // The images stay.
        #expect(try corpus.count(CatalogueQuery()) == 12)
        // Annotations of a part are left out, and said so.
        let row = try #require(corpus.query(CatalogueQuery()).first)
        let id = row.id
        try corpus.annotate([AnnotationValue(sample: id, value: 1)], by: "beauty", from: "test")
        job.scores = []
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        #expect(report.notes.contains { $0.contains("beauty is left out: 11 of 12") })
        #expect(!report.scores.contains("beauty"))
        job.scores = [try ScoreForm("beauty")]
        #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
    }

    @Test func oneImageAPromptRanksNothing() throws {
        var job = try job()
        (job.imagesPerPrompt, job.guidance) = (1, [4])
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        #expect(report.agreement.isEmpty && report.notes.contains { $0.contains("one image per prompt") })
        let failure = #expect(throws: Failure.self) {
            try AgreementJob(referee: .shapes, scores: [ScoreForm("mi")]).run(in: corpus, monitor: Recorder())
        }
        #expect(failure?.description.contains("one image per prompt") == true)
    }

    @Test func promptsThatTheJudgeDoesNotKnowAreNamed() throws {
        var job = try job("a cathedral at night\n")
        (job.imagesPerPrompt, job.guidance) = (2, [4])
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        #expect(report.settings.referee == nil && report.agreement.isEmpty && report.best.isEmpty)
        job.referee = .shapes
        let failure = #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
        #expect(failure?.description.contains("'a cathedral at night' is not a prompt of the shapes benchmark") == true)
    }

    /// What is wrong from the beginning is said before hours of images.
    @Test func nothingIsMadeForWhatCannotBeReported() throws {
        var job = try job()
        (job.name, job.guidance, job.imagesPerPrompt) = ("mine", [4], 1)
        _ = try job.run(in: corpus, monitor: Recorder())
        let images = try corpus.count(CatalogueQuery())
        let changes: [(inout EvaluationJob) throws -> Void] = [
            { $0.guidance = [2] }, { $0.referee = .column("beauty") }, { $0.scores = [try ScoreForm("beauty")] },
            { $0.reference = "no such column" },
        ]
        for change in changes {
            var other = job
            try change(&other)
            #expect(throws: (any Error).self) { try other.run(in: corpus, monitor: Recorder()) }
            #expect(try corpus.count(CatalogueQuery()) == images)
        }
        // Its own settings are the same ones.
        #expect(try job.run(in: corpus, monitor: Recorder()).report != nil)
        var others = try self.job("a cathedral at night\n")
        others.referee = .shapes
        #expect(throws: Failure.self) { try others.run(in: corpus, monitor: Recorder()) }
        #expect(try corpus.count(CatalogueQuery()) == images)
    }

    @Test func namesStandForOneEvaluation() throws {
        var job = try job()
        (job.name, job.guidance) = ("mine", [4])
        _ = try job.run(in: corpus, monitor: Recorder())
        _ = try job.run(in: corpus, monitor: Recorder())
        job.imagesPerPrompt = 2
        let failure = #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
        #expect(failure?.description.contains("other settings") == true)
        job.name = "../mine"
        #expect(throws: UsageError.self) { try job.run(in: corpus, monitor: Recorder()) }
        job.name = nil
        job.guidance = [3, 3]
        #expect(throws: UsageError.self) { try job.run(in: corpus, monitor: Recorder()) }
    }

    @Test func adaptersAreCalledAfterTheirRuns() {
        func label(_ text: String) -> String { EvaluationJob.Adapter(text).label }
        #expect(label("corpus/runs/first/adapter/pytorch_lora_weights.safetensors") == "first")
        #expect(label("corpus/runs/first/adapter") == "first")
        #expect(label("lora/mine.safetensors") == "mine" && label("other=lora/mine.safetensors") == "other")
        #expect(label("lora/adapter_model.safetensors") == "lora")
    }
}
