import CorpusStore
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

@Suite struct TrainerTests {
    private let corpus: TemporaryFolder

    init() throws { corpus = try TemporaryFolder() }

    private func configuration(steps: Int = 4) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.rank = 2
        configuration.alpha = 4
        configuration.steps = steps
        configuration.batch = 1
        configuration.accumulate = 2
        configuration.checkpointEvery = 1
        configuration.optimizer.learningRate = 1e-3
        return configuration
    }

    private func run(_ name: String) -> RunFolder { RunFolder(corpus: corpus.url, name: name) }

    private func train(
        _ name: String, _ configuration: TrainingConfiguration, source: any TrainingSource = MemorySource(),
        stopAfter: Int = .max, on device: Device = .cpu, notes: (String) -> Void = { _ in }
    ) throws -> TrainingOutcome {
        var made = 0
        return try Trainer(
            model: try TinyModel.load(on: device), source: source, configuration: configuration, run: run(name)
        ).train(
            report: { event in
                if case .step = event { made += 1 }
                if case .note(let text) = event { notes(text) }
            }, isCancelled: { made >= stopAfter })
    }

    private func adapterBytes(_ name: String) throws -> Data { try Data(contentsOf: run(name).adapter) }

    private func steps(_ name: String) throws -> [RunLogEntry] {
        try RunLog.read(run(name).log).filter { if case .step = $0 { true } else { false } }
    }

    @Test(arguments: AdapterKind.allCases, TestDevices.all)
    func aStoppedRunEndsAsAnUninterruptedOne(kind: AdapterKind, device: Device) throws {
        var configuration = configuration()
        configuration.kind = kind
        #expect(try train("whole", configuration, on: device).isFinished)
        // Stop after every step.
        while try !train("pieces", configuration, stopAfter: 1, on: device).isFinished {}
        #expect(try adapterBytes("pieces") == adapterBytes("whole"))
        #expect(try steps("pieces") == steps("whole"))
    }

    @Test func aKillBetweenCheckpointsLosesNothing() throws {
        var configuration = configuration(steps: 5)
        configuration.checkpointEvery = 2
        _ = try train("whole", configuration)
        _ = try train("killed", configuration)
        // As after a kill at step 5: no final checkpoint, no adapter, and a torn line at the end of the log.
        let log = try String(contentsOf: run("killed").log, encoding: .utf8)
        let lines = log.split(separator: "\n").map(String.init)
        let last = try #require(lines.last { $0.contains("\"event\":\"checkpoint\"") })
        let entry = try JSONDecoder().decode(RunLogEntry.self, from: Data(last.utf8))
        guard case .checkpoint(let checkpoint) = entry else {
            Issue.record("the log has no entry of a checkpoint: \(last)")
            return
        }
        try FileManager.default.removeItem(
            at: run("killed").checkpoints.appendingPathComponent("\(checkpoint.checkpoint).safetensors"))
        try FileManager.default.removeItem(at: run("killed").adapter)
        let kept = lines.prefix { $0 != last }
        try (kept.joined(separator: "\n") + "\n{\"event\":\"st").write(
            to: run("killed").log, atomically: true, encoding: .utf8)

        #expect(try train("killed", configuration).isFinished)
        #expect(try adapterBytes("killed") == adapterBytes("whole"))
        #expect(try steps("killed") == steps("whole"))
    }

    @Test(arguments: [0, 100, -1]) func aDamagedCheckpointFallsBackToTheOneBefore(cut: Int) throws {
        let configuration = configuration(steps: 3)
        _ = try train("whole", configuration)
        _ = try train("damaged", configuration, stopAfter: 2)
        let entries = try RunLog.read(run("damaged").log)
        let newest = entries.compactMap { if case .checkpoint(let c) = $0 { c.checkpoint } else { nil } }.last
        let file = run("damaged").checkpoints.appendingPathComponent("\(try #require(newest)).safetensors")
        var data = try Data(contentsOf: file)
        if cut < 0 {
            data[data.count - 9] ^= 1
        } else {
            data = data.prefix(cut == 0 ? 0 : data.count - cut)
        }
        try data.write(to: file)
        var notes: [String] = []
        let outcome = try train("damaged", configuration) { notes.append($0) }
        #expect(outcome.isFinished)
        #expect(notes.count == 1)
        #expect(notes.first?.contains(String(try #require(newest).prefix(12))) == true)
        #expect(try adapterBytes("damaged") == adapterBytes("whole"))
    }

    @Test func aFollowedSelectionIsReplayedFromTheLog() throws {
        var configuration = configuration(steps: 6)
        configuration.follow = true
        _ = try train("whole", configuration)
        let source = MemorySource()
        while try !train("pieces", configuration, source: source, stopAfter: 1).isFinished {
            // What happens to the corpus meanwhile must not reach epochs that were announced.
        }
        #expect(try adapterBytes("pieces") == adapterBytes("whole"))
        let entries = try RunLog.read(run("whole").log)
        #expect(entries.resolutions == [0: .numbered(5), 1: .numbered(6), 2: .numbered(7)])
        // Each resolution stands before the first step that uses it.
        let epochs = entries.compactMap { entry -> (Bool, Int)? in
            switch entry {
            case .resolution(let record): (true, record.epoch)
            case .step(let record): (false, record.epoch)
            default: nil
            }
        }
        var announced = Set<Int>()
        for (isResolution, epoch) in epochs {
            if isResolution { announced.insert(epoch) } else { #expect(announced.contains(epoch)) }
        }
    }

    @Test func gradientCheckpointingChangesNoLoss() throws {
        var configuration = configuration(steps: 2)
        _ = try train("plain", configuration)
        configuration.gradientCheckpointing = true
        _ = try train("checkpointed", configuration)
        let losses = try ["plain", "checkpointed"].map { name in
            try RunLog.read(run(name).log).compactMap { if case .step(let step) = $0 { Float(step.loss) } else { nil } }
        }
        #expect(losses[0].count == 2)
        #expect(relativeError(losses[1], losses[0]) < 1e-5)
    }

    @Test func otherSettingsAreRefusedByName() throws {
        var configuration = configuration(steps: 1)
        _ = try train("run", configuration)
        configuration.rank = 3
        configuration.seed = 7
        let error = #expect(throws: TrainingError.self) { try train("run", configuration) }
        let text = error?.description ?? ""
        #expect(text.contains("rank was 2, now 3"))
        #expect(text.contains("seed was 42, now 7"))
    }

    @Test func aFinishedRunMayGoOnForMoreSteps() throws {
        _ = try train("whole", configuration(steps: 3))
        _ = try train("longer", configuration(steps: 2))
        #expect(try train("longer", configuration(steps: 3)).step == 3)
        #expect(try adapterBytes("longer") == adapterBytes("whole"))
        #expect(throws: TrainingError.self) { try train("longer", configuration(steps: 1)) }
    }

    @Test func oldCheckpointsGoWhenAskedTo() throws {
        var configuration = configuration(steps: 4)
        configuration.keepCheckpoints = 2
        _ = try train("run", configuration)
        #expect(try FileManager.default.contentsOfDirectory(atPath: run("run").checkpoints.path).count == 2)
    }

    @Test func anUnusableSelectionIsRefusedBeforeTheRunExists() {
        #expect(throws: TrainingError.self) { try train("run", configuration(), source: MemorySource(size: 0)) }
        #expect(!FileManager.default.fileExists(atPath: run("run").root.path))
    }

    @Test func twoProcessesDoNotShareARun() throws {
        var inner: (any Error)?
        let configuration = configuration(steps: 1)
        _ = try Trainer(
            model: try TinyModel.load(), source: MemorySource(), configuration: configuration, run: run("run")
        ).train(report: { event in
            guard case .step = event else { return }
            do { _ = try train("run", configuration) } catch { inner = error }
        })
        #expect((inner as? TrainingError)?.description.contains("another process") == true)
    }
}
