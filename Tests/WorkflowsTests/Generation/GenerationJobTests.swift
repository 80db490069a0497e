import CorpusStore
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning
import Workflows

@Suite struct GenerationJobTests {
    @Test func fillsACorpusAndSkipsWhatIsPresent() throws {
        let small = try SmallCorpus(isFilled: false)
        let recorder = Recorder()
        let outcome = try small.job.run(into: small.corpus, monitor: recorder)
        var expected = WorkOutcome(total: 6)
        expected.made = 6
        #expect(outcome == expected)
        #expect(recorder.total == 6 && recorder.reports.last == 6 && recorder.reports == recorder.reports.sorted())
        #expect(recorder.warnings.isEmpty)
        let rows = try small.corpus.query(CatalogueQuery())
        #expect(rows.count == 6 && Set(rows.map(\.prompt)) == ["a red circle", "a star and a cross"])
        #expect(rows.allSatisfy { ($0.mi ?? .nan).isFinite })
        #expect(Set(rows.map(\.seed)) == ["42", "43", "44"])

        let shards = SmallCorpus.shards(small.corpus)
        #expect(shards.count == 3)
        let again = try small.job.run(into: small.corpus, monitor: Recorder())
        #expect(again.made == 0 && again.skipped == 6 && again.isFinished)
        #expect(SmallCorpus.shards(small.corpus) == shards)
    }

    @Test func stopsAtABatchBoundaryAndResumesToTheSameShards() throws {
        let small = try SmallCorpus()
        let stopped = try SmallCorpus(isFilled: false)
        let recorder = Recorder(allowing: 1)
        let first = try stopped.job.run(into: stopped.corpus, monitor: recorder)
        #expect(!first.isFinished && first.made == 2)
        #expect(try stopped.corpus.summary().samples == 2)
        let second = try stopped.job.run(into: stopped.corpus, monitor: Recorder())
        #expect(second.isFinished && second.made == 4 && second.skipped == 2)
        #expect(SmallCorpus.shards(stopped.corpus) == SmallCorpus.shards(small.corpus))
    }

    /// Other products make other images, so neither stands for the other; what is in float32 stays as it was.
    @Test func aPrecisionIsPartOfTheRecipe() throws {
        let small = try SmallCorpus()
        var job = small.job
        job.model.precision = .bfloat16
        #expect(try job.run(into: small.corpus, monitor: Recorder()).made == 6)
        #expect(try job.run(into: small.corpus, monitor: Recorder()).skipped == 6)
        #expect(try small.job.run(into: small.corpus, monitor: Recorder()).skipped == 6)
        #expect(small.corpus.verify().isEmpty)
        let ids = try small.corpus.ids(CatalogueQuery())
        #expect(ids.count == 12)
        let again = try Corpus.reindex(at: small.corpus.folder, scoring: TraceScores())
        #expect(again.unreadable.isEmpty)
        #expect(try Set(again.corpus.ids(CatalogueQuery())) == Set(ids))
        var scoring = ScoringJob(model: small.job.model)
        (scoring.draws, scoring.steps) = (1, 2)
        #expect(try scoring.run(in: small.corpus, monitor: Recorder()).made == 12)
        scoring.model.precision = .bfloat16
        #expect(try scoring.run(in: small.corpus, monitor: Recorder()).made == 12)
        #expect(try scoring.run(in: small.corpus, monitor: Recorder()).made == 0)
    }

    private func onPyTorch(_ job: GenerationJob, _ devices: String = "torch-cpu") throws -> GenerationJob {
        var job = job
        job.model.device = try DeviceChoice(devices)
        job.model.device.torch = TestDevices.torchFolder
        return job
    }

    /// What one device has made is not made again on another, unless that is asked for.
    @Test(.enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"))
    func anEngineIsNoPartOfTheRecipe() throws {
        let small = try SmallCorpus()
        var job = try onPyTorch(small.job)
        #expect(try job.run(into: small.corpus, monitor: Recorder()).skipped == 6)
        job.sameEngine = true
        #expect(try job.run(into: small.corpus, monitor: Recorder()).made == 6)
        #expect(try job.run(into: small.corpus, monitor: Recorder()).skipped == 6)
        let rows = try small.corpus.query(CatalogueQuery(condition: "engine LIKE 'torch-cpu %'"))
        #expect(rows.count == 6)
        // The same images, to a few last bits.
        let others = try small.corpus.query(CatalogueQuery(condition: "engine IS NULL"))
        for row in rows {
            let other = try #require(others.first { $0.recipe == row.recipe })
            #expect(abs((row.mi ?? 0) - (other.mi ?? 1)) < 1e-2 * (row.mi ?? 0))
        }
        var scoring = ScoringJob(model: job.model)
        (scoring.draws, scoring.steps) = (1, 2)
        #expect(try scoring.run(in: small.corpus, monitor: Recorder()).made == 12)
        scoring.model.device = .cpu
        #expect(try scoring.run(in: small.corpus, monitor: Recorder()).made == 0)
    }

    @Test func float16IsForDevices() throws {
        let small = try SmallCorpus(isFilled: false)
        var job = small.job
        job.model.precision = .float16
        let refused = job
        let error = #expect(throws: UsageError.self) { try refused.run(into: small.corpus, monitor: Recorder()) }
        #expect(error?.description.contains("use bfloat16") == true, "\(error?.description ?? "")")
    }

    /// It is in recipes and scorers as bfloat16 is; what overflows is not kept, and is named.
    @Test(.enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"))
    func float16IsRecorded() throws {
        let small = try SmallCorpus(isFilled: false)
        var job = try onPyTorch(small.job)
        (job.model.precision, job.imagesPerPrompt) = (.float16, 1)
        #expect(try job.run(into: small.corpus, monitor: Recorder()).made == 2)
        #expect(try job.run(into: small.corpus, monitor: Recorder()).skipped == 2)
        #expect(small.corpus.verify().isEmpty)
        var scoring = ScoringJob(model: job.model)
        (scoring.draws, scoring.steps) = (1, 2)
        #expect(try scoring.run(in: small.corpus, monitor: Recorder()).made == 2)
        let sets = try small.corpus.scores(of: small.corpus.ids(CatalogueQuery()))
        #expect(sets.map(\.scorer.precision) == ["float16"])

        let unet = try DiffusionModel.load(from: Repository.tinySD).unet
        let fresh = try Adapter(
            initializing: .lora, rank: 2, alpha: 2, targets: .attention, for: unet.linears, seed: 0)
        let file = small.scratch.url("vast.safetensors")
        try AdapterFile.write(
            fresh.replacing(fresh.parameters.map { Tensor(filled: 300, shape: $0.value.shape) }), to: file)
        (job.model.adapter, scoring.model.adapter) = (file, file)
        let recorder = Recorder()
        let outcome = try job.run(into: small.corpus, monitor: recorder)
        #expect(outcome.made == 0 && outcome.failed == 2)
        let first = try #require(recorder.warnings.first)
        #expect(first.contains("--precision bfloat16 or float32 (first seen in down_blocks."), "\(first)")
        let vast = scoring
        let error = #expect(throws: Failure.self) { try vast.run(in: small.corpus, monitor: Recorder()) }
        #expect(
            error?.description.contains("float16 is not finite numbers; give") == true, "\(error?.description ?? "")")
    }

    @Test(.enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"))
    func severalDevicesSealTheShardsOfOne() throws {
        let (one, two) = (try SmallCorpus(isFilled: false), try SmallCorpus(isFilled: false))
        #expect(try onPyTorch(one.job).run(into: one.corpus, monitor: Recorder()).made == 6)
        let recorder = Recorder()
        let shared = try onPyTorch(two.job, "torch-cpu:0,torch-cpu:1").run(into: two.corpus, monitor: recorder)
        #expect(shared.made == 6 && recorder.reports == recorder.reports.sorted() && recorder.reports.last == 6)
        #expect(SmallCorpus.shards(one.corpus) == SmallCorpus.shards(two.corpus))
        // What cannot be shared out is refused.
        var scoring = ScoringJob(model: try onPyTorch(one.job, "torch-cpu:0,torch-cpu:1").model)
        (scoring.draws, scoring.steps) = (1, 2)
        let job = scoring
        #expect(throws: UsageError.self) { try job.run(in: one.corpus, monitor: Recorder()) }
    }

    @Test func partsMakeTheWhole() throws {
        let whole = try SmallCorpus()
        let parts = try SmallCorpus(isFilled: false)
        for index in 1...2 {
            var job = parts.job
            job.part = Part(index: index, count: 2)
            #expect(try job.run(into: parts.corpus, monitor: Recorder()).made == 3)
        }
        #expect(try Set(parts.corpus.ids(CatalogueQuery())) == Set(whole.corpus.ids(CatalogueQuery())))
    }

    @Test func whatTheModelDoesNotAllowIsAUsageError() throws {
        let small = try SmallCorpus(isFilled: false)
        func refusal(_ change: (inout DenoisingSettings) -> Void, steps: Int = 3) -> UsageError? {
            var denoising = DenoisingSettings(steps: steps, guidance: 7.5, sampler: .ddpm)
            change(&denoising)
            let job = GenerationJob(prompts: small.job.prompts, model: small.job.model, denoising: denoising)
            return #expect(throws: UsageError.self) { try job.run(into: small.corpus, monitor: Recorder()) }
        }
        #expect(refusal({ _ in }, steps: 1001)?.description.hasPrefix("--steps is 1001") == true)
        #expect(refusal({ $0.clipSkip = 50 })?.description.hasPrefix("--clip-skip is 50") == true)
        #expect(refusal({ $0.width = 36 })?.description.hasPrefix("--width is 36") == true)
        var job = small.job
        job.imagesPerPrompt = .max
        #expect(throws: UsageError.self) { try job.run(into: small.corpus, monitor: Recorder()) }
        #expect(try small.corpus.summary().samples == 0)
    }

    @Test func aLongPromptIsWarnedOfOnce() throws {
        let small = try SmallCorpus(isFilled: false)
        let prompts = try small.scratch.file("long.txt", String(repeating: "a red circle and ", count: 60) + "a star")
        var job = GenerationJob(
            prompts: URL(fileURLWithPath: prompts), model: small.job.model, denoising: small.job.denoising)
        (job.imagesPerPrompt, job.batch) = (2, 1)
        let recorder = Recorder()
        #expect(try job.run(into: small.corpus, monitor: recorder).made == 2)
        #expect(recorder.warnings.count == 1)
        #expect(recorder.warnings.first?.contains("reads only the beginning of this prompt") == true)
    }
}
