import CorpusStore
import Diffusion
import Foundation
import TestSupport
import Testing
import Workflows

@Suite("Candidates given up before they are finished") struct PruningTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func corpus(_ name: String) throws -> Corpus {
        try Corpus.create(at: scratch.url(name), scoring: TraceScores())
    }

    private func job(
        _ sampler: SamplerKind = .ddim, steps: Int = 6, guidance: Double = 5,
        prompts: String = "a red circle\na star and a cross\nthree pink stars\n"
    ) throws -> GenerationJob {
        var job = GenerationJob(
            prompts: URL(fileURLWithPath: try scratch.file("prompts.txt", prompts)),
            model: ModelSource(folder: Repository.tinySD),
            denoising: DenoisingSettings(steps: steps, guidance: guidance, sampler: sampler))
        (job.imagesPerPrompt, job.batch) = (5, 4)
        return job
    }

    /// What is kept of each image, by prompt and seed.
    private struct Kept: Equatable {
        let pixels, png: Digest
        let latent, trace: [Float]
    }

    private func images(_ corpus: Corpus) throws -> [String: Kept] {
        let reader = SampleReader(corpus)
        return Dictionary(
            uniqueKeysWithValues: try corpus.query(CatalogueQuery()).map { row in
                let record = try reader.record(row)
                return (
                    "\(row.prompt) \(row.seed)",
                    Kept(
                        pixels: record.pixels, png: Digest(of: Data(record.png)), latent: record.latent,
                        trace: record.deltaSquared)
                )
            })
    }

    @Test(
        "Those that are kept are the images that they would have been",
        arguments: [SamplerKind.ddim, .ddpm, .dpmpp2M, .dpmpp2MSDE, .unipc, .pndm, .eulerAncestral])
    func keptImagesAreUnchanged(sampler: SamplerKind) throws {
        let whole = try corpus("whole")
        _ = try job(sampler).run(into: whole, monitor: Recorder())
        let all = try images(whole)
        #expect(all.count == 15)

        let pruned = try corpus("pruned")
        var job = try job(sampler)
        job.pruning = PruningSettings(keep: 2, after: 0.5)
        let outcome = try job.run(into: pruned, monitor: Recorder())
        #expect(outcome.made == 6 && outcome.total == 6 && outcome.isFinished)
        let kept = try images(pruned)
        #expect(kept.count == 6)
        for (name, image) in kept { #expect(all[name] == image, "\(name)") }

        // The best by the trace as it was after the choice's steps.
        let rows = try whole.query(CatalogueQuery())
        let (steps, reader) = (try #require(try pruned.query(CatalogueQuery()).first), SampleReader(pruned))
        let recorded = try #require(try reader.record(steps).recipe.extras.pruning)
        #expect(recorded.keep == 2 && recorded.of == 5 && recorded.firstSeed == "42" && recorded.by == "mi")
        let whole2 = SampleReader(whole)
        for (prompt, own) in Dictionary(grouping: rows, by: \.prompt) {
            let scores = try own.map { row in
                let record = try whole2.record(row)
                let schedule = try #require(record.schedule)
                let value = MeanKappaEstimator().estimate(
                    MITrace(
                        timesteps: record.timesteps.prefix(recorded.after).map(Int.init),
                        deltaSquared: Array(record.deltaSquared.prefix(recorded.after))),
                    schedule: NoiseSchedule(SchedulerConfiguration(schedule))
                ).value
                return (seed: row.seed, value: value)
            }
            let best = Set(scores.sorted { $0.value > $1.value }.prefix(2).map { "\(prompt) \($0.seed)" })
            #expect(best == Set(kept.keys.filter { $0.hasPrefix(prompt + " 4") }))
        }
    }

    @Test func whatWasSavedIsCounted() throws {
        var job = try job()
        job.pruning = PruningSettings(keep: 2, after: 0.5)
        let outcome = try job.run(into: corpus("pruned"), monitor: Recorder())
        // Of 15 candidates 3 of 6 steps, of 6 the rest, under two prompts.
        #expect(outcome.forwards == Forwards(spent: (15 * 3 + 6 * 3) * 2, unpruned: 15 * 6 * 2))
        #expect(outcome.forwards?.text?.contains("126 passes through the UNet in place of 180: 70.0 %") == true)
        let json = try jsonText(WorkReport(outcome))
        #expect(json.contains("\"spent\" : 126") && json.contains("\"made\" : 6"))
        // Of a whole generation nothing is said.
        #expect(try !jsonText(WorkReport(WorkOutcome(total: 1))).contains("forwards"))
    }

    @Test func contrastOfThePredictionChoosesToo() throws {
        var job = try job()
        var pruning = PruningSettings(keep: 1, after: 0.4)
        (pruning.score, pruning.negativeCount, pruning.measurements) = (.contrast(), 3, 2)
        job.pruning = pruning
        let pruned = try corpus("pruned")
        let outcome = try job.run(into: pruned, monitor: Recorder())
        #expect(outcome.made == 3)
        // Three of six steps; at two timesteps the prompt, the empty one and up to three near misses.
        let spent = try #require(outcome.forwards?.spent)
        let plain = (15 * 3 + 3 * 3) * 2
        #expect(spent > plain + 15 * 2 * 2 && spent <= plain + 15 * 2 * 5)
        let row = try #require(try pruned.query(CatalogueQuery()).first)
        let recorded = try SampleReader(pruned).record(row).recipe.extras.pruning
        #expect(recorded?.by == "contrast" && recorded?.negatives == "rules:0, 3, at 2 timesteps")
        let whole = try corpus("whole")
        _ = try self.job().run(into: whole, monitor: Recorder())
        let all = try images(whole)
        for (name, image) in try images(pruned) { #expect(all[name] == image, "\(name)") }

        // A weight that leaves only the error under the prompt to choose by.
        pruning.score = .contrast(ContrastRanking(errorWeight: 1e9))
        job.pruning = pruning
        let likely = try corpus("likely")
        #expect(try job.run(into: likely, monitor: Recorder()).made == 3)
        let first = try #require(try likely.query(CatalogueQuery()).first)
        #expect(try SampleReader(likely).record(first).recipe.extras.pruning?.by == "contrast:error=1000000000.0")
        let others = try images(likely)
        for (name, image) in others { #expect(all[name] == image, "\(name)") }
        #expect(try Set(others.keys) != Set(images(pruned).keys))
    }

    @Test(
        arguments: [
            ("mi", PruningSettings.Score.mi), ("contrast", .contrast()), ("contrast:error=0", .contrast()),
            ("contrast:error=0.3", .contrast(ContrastRanking(errorWeight: 0.3))), ("contrast:error=-1", nil),
            ("contrast:error=nan", nil),
            ("contrast:error=", nil), ("contrast:tau=1", nil), ("MI", nil), ("", nil),
        ] as [(String, PruningSettings.Score?)])
    func scoresAreRead(text: String, score: PruningSettings.Score?) {
        #expect(PruningSettings.Score(text) == score)
    }

    @Test func aStopLosesNothingAndNothingIsMadeTwice() throws {
        var job = try job()
        job.pruning = PruningSettings(keep: 2, after: 0.3)
        let whole = try corpus("whole")
        _ = try job.run(into: whole, monitor: Recorder())
        let stopped = try corpus("stopped")
        // Two prompts are worked on together: ten candidates in three batches, then four images in one.
        let first = try job.run(into: stopped, monitor: Recorder(allowing: 5))
        #expect(!first.isFinished && first.made == 4)
        let missing = try job.missing(in: stopped)
        #expect(missing.missing == 2 && missing.total == 6 && missing.prompts.map(\.prompt) == ["three pink stars"])
        let second = try job.run(into: stopped, monitor: Recorder())
        #expect(second.isFinished && second.made == 2 && second.skipped == 4)
        #expect(SmallCorpus.shards(stopped) == SmallCorpus.shards(whole))
        let third = try job.run(into: stopped, monitor: Recorder())
        #expect(third.made == 0 && third.skipped == 6 && third.forwards?.spent == 0 && third.forwards?.text == nil)
        #expect(try job.missing(in: stopped).missing == 0)
        #expect(stopped.verify().isEmpty)
        // The recipe survives a new catalogue and a copy to another shard.
        let again = try Corpus.reindex(at: stopped.folder, scoring: TraceScores())
        #expect(again.unreadable.isEmpty)
        #expect(try job.run(into: again.corpus, monitor: Recorder()).made == 0)
        // Another choice is another recipe.
        job.pruning = PruningSettings(keep: 1, after: 0.3)
        #expect(try job.run(into: stopped, monitor: Recorder()).made == 3)
    }

    @Test func whatSavesNothingOrCannotRankIsRefused() throws {
        let empty = try corpus("empty")
        func refusal(_ job: GenerationJob) -> String {
            #expect(throws: (any Error).self) { try job.run(into: empty, monitor: Recorder()) }.map { "\($0)" } ?? ""
        }
        var job = try job()
        job.pruning = PruningSettings(keep: 5, after: 0.5)
        #expect(refusal(job).hasPrefix("--keep-best is 5, and there are 5 candidates"))
        job.pruning = PruningSettings(keep: 2, after: 0.95)
        #expect(refusal(job).hasPrefix("--after is 0.95 of 6 steps"))
        var unguided = try self.job(guidance: 1)
        unguided.pruning = PruningSettings(keep: 2, after: 0.5)
        #expect(refusal(unguided).contains("--prune-by mi: without guidance"))
        unguided.pruning?.score = .contrast()
        #expect(try unguided.run(into: empty, monitor: Recorder()).made == 6)
        var lacking = try self.job(prompts: "a red circle\nserendipity\n")
        lacking.pruning = PruningSettings(keep: 2, after: 0.5)
        lacking.pruning?.score = .contrast()
        #expect(refusal(lacking).contains("'serendipity' has no near misses"))
    }
}
