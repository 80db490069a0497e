import CorpusStore
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

/// Runs with every loss and option: stopped and resumed, they end as uninterrupted ones.
@Suite struct LossRunTests {
    private let corpus: TemporaryFolder
    private let negatives = NegativePrompts(digest: "test") { prompt in
        prompt.contains("stars") ? [] : ["not " + prompt, "rather " + prompt, prompt]
    }

    init() throws { corpus = try TemporaryFolder() }

    private func configuration(_ kind: LossKind) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        (configuration.kind, configuration.rank, configuration.alpha) = (.lora, 2, 4)
        (configuration.steps, configuration.batch, configuration.accumulate) = (4, 3, 1)
        (configuration.checkpointEvery, configuration.optimizer.learningRate) = (1, 1e-2)
        configuration.loss = LossSettings(kind)
        if kind == .contrast {
            configuration.loss?.negatives = 2
            configuration.loss?.negativesDigest = negatives.digest
        }
        return configuration
    }

    private func run(_ name: String) -> RunFolder { RunFolder(corpus: corpus.url, name: name) }

    private func train(
        _ name: String, _ configuration: TrainingConfiguration, stopAfter: Int = .max, start: Adapter? = nil,
        validation: ValidationImages? = nil, notes: (String) -> Void = { _ in }
    ) throws -> TrainingOutcome {
        var inputs = TrainingInputs(
            model: try TinyModel.load(), source: ScoredSource(), configuration: configuration, run: run(name))
        if configuration.loss?.kind == .contrast { inputs.negatives = negatives }
        (inputs.start, inputs.validation, inputs.writesEvents) = (start, validation, validation != nil)
        var made = 0
        return try Trainer(inputs).train(
            report: { event in
                if case .step = event { made += 1 }
                if case .note(let text) = event { notes(text) }
            }, isCancelled: { made >= stopAfter })
    }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: run(name).adapter) }

    private func measured(_ name: String) throws -> [RunLogEntry] {
        try RunLog.read(run(name).log).filter {
            switch $0 {
            case .step, .evaluation: true
            default: false
            }
        }
    }

    @Test(arguments: LossKind.allCases) func aStoppedRunEndsAsAnUninterruptedOne(kind: LossKind) throws {
        var configuration = configuration(kind)
        configuration.evaluationSamples = 2
        _ = try train("whole", configuration)
        while try !train("pieces", configuration, stopAfter: 1).isFinished {}
        #expect(try bytes("pieces") == bytes("whole"))
        #expect(try measured("pieces") == measured("whole"))
    }

    @Test func soDoesOneWithEveryRefinement() throws {
        var configuration = configuration(.denoise)
        configuration.timesteps = TimestepRange(600, 700)
        configuration.schedule = LearningRateSchedule(.cosine, warmup: 2)
        (configuration.minSNR, configuration.dropCaptions, configuration.averageDecay) = (5, 0.4, 0.5)
        _ = try train("whole", configuration)
        while try !train("pieces", configuration, stopAfter: 1).isFinished {}
        #expect(try bytes("pieces") == bytes("whole"))
        #expect(try measured("pieces") == measured("whole"))
        let steps = try RunLog.read(run("whole").log).compactMap { if case .step(let step) = $0 { step } else { nil } }
        #expect(steps.flatMap(\.timesteps).allSatisfy { (600...700).contains($0) })
        #expect(steps.map(\.lr) == [0, 0.005, 0.01, 0.005])
        // The average is what the run gives, and the last step's adapter lies beside it.
        let raw = try Data(contentsOf: run("whole").raw.appending(path: AdapterFile.name))
        #expect(try raw != bytes("whole"))
        #expect(try AdapterFile.read(run("whole").raw.appending(path: AdapterFile.name)).rank == 2)
    }

    @Test(arguments: [AdapterTargets.attentionAndFeedForward, .all])
    func anOldPolicyThatFollowsIsPartOfTheState(targets: AdapterTargets) throws {
        var configuration = configuration(.nft)
        configuration.targets = targets
        if targets == .all { configuration.optimizer.learningRate = 1e-4 }
        configuration.loss?.policy = OldPolicy.Schedule(most: 0.6, rise: 0.2, every: 2)
        configuration.evaluationSamples = 2
        _ = try train("whole", configuration)
        // A stop after an odd step keeps an old policy that is not the trained one.
        while try !train("pieces", configuration, stopAfter: 1).isFinished {}
        #expect(try measured("pieces") == measured("whole"))
        if targets != .all { #expect(try bytes("pieces") == bytes("whole")) }
        // It is another run than one whose old policy stays.
        configuration.loss?.policy = nil
        let error = #expect(throws: TrainingError.self) { try train("whole", configuration) }
        #expect(error?.description.contains("policy-decay was 0.6, rise 0.2, flat 0, every 2, now none") == true)
        _ = try train("fixed", configuration)
        #expect(try measured("fixed") != measured("whole"))
        configuration.loss?.policy = OldPolicy.Schedule(most: 1)
        #expect(throws: TrainingError.self) { try train("wrong", configuration) }
    }

    @Test func theFirstStepOfNFTGoesTowardsGoodImagesAndAwayFromBadOnes() throws {
        _ = try train("nft", configuration(.nft))
        let losses = try RunLog.read(run("nft").log).compactMap {
            if case .step(let step) = $0 { step.loss } else { nil }
        }
        #expect(losses.count == 4 && losses.allSatisfy { $0 > 0 && $0.isFinite })
    }

    @Test func dpoBeginsAtTheLogarithmOfTwo() throws {
        var configuration = configuration(.dpo)
        configuration.steps = 1
        _ = try train("dpo", configuration)
        let losses = try RunLog.read(run("dpo").log).compactMap {
            if case .step(let step) = $0 { step.loss } else { nil }
        }
        // Network and reference are the same at first.
        #expect(abs(losses[0] - log(2)) < 1e-5)
    }

    @Test func anotherLossIsRefusedByName() throws {
        var configuration = configuration(.denoise)
        configuration.steps = 1
        _ = try train("run", configuration)
        configuration.loss = LossSettings(.nft)
        let error = #expect(throws: TrainingError.self) { try train("run", configuration) }
        #expect(error?.description.contains("loss was denoise, now nft") == true)
        configuration = self.configuration(.dpo)
        configuration.steps = 1
        _ = try train("pairs", configuration)
        configuration.loss?.beta = 7
        let other = #expect(throws: TrainingError.self) { try train("pairs", configuration) }
        #expect(other?.description.contains("beta was 5000.0, now 7.0") == true)
    }

    /// Logs of versions without losses say nothing of them.
    @Test func aRunOfBeforeLossesResumes() throws {
        var configuration = configuration(.denoise)
        configuration.loss = nil
        _ = try train("old", configuration, stopAfter: 2)
        #expect(try !String(contentsOf: run("old").log, encoding: .utf8).contains("\"loss\":{"))
        configuration.loss = LossSettings(.denoise)
        #expect(try train("old", configuration).isFinished)
        _ = try train("new", configuration)
        #expect(try bytes("old") == bytes("new"))
    }

    @Test func promptsWithoutNearMissesAreTold() throws {
        var notes: [String] = []
        var configuration = configuration(.contrast)
        configuration.steps = 1
        _ = try train("run", configuration) { notes.append($0) }
        #expect(notes.contains { $0.contains("1 of 3 prompts have no near miss") && $0.contains("stars") })
        var inputs = TrainingInputs(
            model: try TinyModel.load(), source: ScoredSource(), configuration: configuration, run: run("none"))
        inputs.negatives = NegativePrompts(digest: "none") { [$0] }
        let error = #expect(throws: TrainingError.self) { try Trainer(inputs).train() }
        #expect(error?.description.contains("none of the selection's 3 prompts has a near miss") == true)
        #expect(!FileManager.default.fileExists(atPath: run("none").root.path))
    }

    @Test func validationImagesAreWrittenAtEachCheckpoint() throws {
        var validation = ValidationImages(prompts: ["a red circle", "three green stars"])
        (validation.steps, validation.guidance) = (2, 1.5)
        var configuration = configuration(.denoise)
        (configuration.steps, configuration.validateEvery, configuration.checkpointEvery) = (2, 1, 2)
        _ = try train("run", configuration, validation: validation)
        let names = ["0001-42.png", "0002-42.png"]
        for step in 0...2 {
            let found = try FileManager.default.contentsOfDirectory(atPath: run("run").validation(step).path)
            #expect(found.sorted() == names + ["metadata.jsonl"])
        }
        let entries = try RunLog.read(run("run").log)
        #expect(entries.contains(.validation(.init(step: 1, images: names))))
        func image(_ step: Int) throws -> Data {
            try Data(contentsOf: run("run").validation(step).appending(path: names[0]))
        }
        #expect(try image(0) != image(2))
        // Before training the adapter changes nothing.
        let model = try TinyModel.load()
        let plain = try model.generate(
            GenerationRequest(
                prompts: model.encode(prompts: validation.prompts), seeds: [42, 42], steps: 2, guidance: 1.5,
                sampler: .ddim))
        #expect(plain.count == 2)
        let events = try FileManager.default.contentsOfDirectory(atPath: run("run").tensorBoard.path)
        #expect(events.count == 1 && events[0].hasPrefix("events.out.tfevents."))
    }
}

/// Six images of three prompts with scores that differ within each.
private final class ScoredSource: TrainingSource {
    private let memory = MemorySource(size: 6)
    var selectionName: String { memory.selectionName }
    var scoreName: String? { "judge" }

    func initialResolution() throws(TrainingSourceError) -> SelectionResolution { try memory.initialResolution() }
    func resolveAgain(_ digest: Digest) throws(TrainingSourceError) -> SelectionResolution {
        try memory.resolveAgain(digest)
    }
    func resolution(digest: Digest) throws(TrainingSourceError) -> SelectionResolution {
        try memory.resolution(digest: digest)
    }
    func check(_ resolution: SelectionResolution, model: String) {}

    func describe(_ ids: [Digest]) throws(TrainingSourceError) -> [SampleDescription] {
        try memory.samples(ids).map {
            SampleDescription(id: $0.id, prompt: $0.prompt, score: Double($0.id.number) / 6)
        }
    }

    func samples(_ ids: [Digest]) throws(TrainingSourceError) -> [TrainingSample] {
        try memory.samples(ids).map { sample in
            TrainingSample(
                id: sample.id, prompt: sample.prompt, latent: sample.latent, shape: sample.shape,
                weight: 0.5 + Float(sample.id.number))
        }
    }
}
