import Cluster
import Foundation
import Synchronization
import TestSupport
import Testing
import Tuning

/// Ranks that train together give the adapter of one process, byte for byte.
@Suite(.serialized) struct RanksTests {
    private let corpus: TemporaryFolder

    init() throws { corpus = try TemporaryFolder() }

    private func configuration(accumulate: Int = 4) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        (configuration.rank, configuration.alpha, configuration.steps) = (2, 4, 3)
        (configuration.batch, configuration.accumulate, configuration.checkpointEvery) = (1, accumulate, 1)
        configuration.optimizer.learningRate = 1e-3
        return configuration
    }

    private func run(_ name: String) -> RunFolder { RunFolder(corpus: corpus.url, name: name) }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: run(name).adapter) }

    /// - Parameter stop: the rank that asks to stop, after so many steps.
    private func train(
        _ name: String, ranks: Int, _ configuration: TrainingConfiguration, stop: (rank: Int, after: Int)? = nil
    ) throws -> [TrainingOutcome] {
        let folder = corpus.url
        return try ThreadRanks.run(ranks) { group in
            var inputs = TrainingInputs(
                model: try TinyModel.load(), source: MemorySource(), configuration: configuration,
                run: RunFolder(corpus: folder, name: name))
            inputs.ranks = group
            var made = 0
            return try Trainer(inputs).train(
                report: { if case .step = $0 { made += 1 } },
                isCancelled: { stop.map { $0.rank == group.rank && made >= $0.after } ?? false })
        }
    }

    @Test(arguments: [4, 5]) func anyNumberOfRanksGivesTheSameBytes(accumulate: Int) throws {
        let configuration = configuration(accumulate: accumulate)
        _ = try train("one", ranks: 1, configuration)
        for ranks in [2, 3, 4] {
            let outcomes = try train("of\(ranks)", ranks: ranks, configuration)
            #expect(
                outcomes.map(\.isFinished) == [true] + Array(repeating: false, count: ranks - 1),
                "the first rank writes")
            #expect(try bytes("of\(ranks)") == bytes("one"), "\(ranks) ranks")
            // The log too: losses, gradients and timesteps of every step.
            let (one, several) = (try RunLog.read(run("one").log), try RunLog.read(run("of\(ranks)").log))
            #expect(several == one)
        }
    }

    @Test func aRunThatFourBeganEndsOnTwo() throws {
        _ = try train("one", ranks: 1, configuration())
        // Any rank may be told to stop.
        let stopped = try train("run", ranks: 4, configuration(), stop: (rank: 3, after: 1))
        #expect(stopped.map(\.step) == [1, 1, 1, 1])
        _ = try train("run", ranks: 2, configuration(), stop: (rank: 0, after: 1))
        #expect(try train("run", ranks: 1, configuration())[0].isFinished)
        #expect(try bytes("run") == bytes("one"))
    }

    @Test func moreRanksThanBatchesAreRefused() throws {
        let error = #expect(throws: TrainingError.self) { try train("run", ranks: 4, configuration(accumulate: 2)) }
        #expect(error?.description.contains("give --accumulate 4 or more") == true)
        #expect(!FileManager.default.fileExists(atPath: run("run").root.path))
    }

    @Test func ranksOfOtherSettingsAreRefused() throws {
        let folder = corpus.url
        let says = try ThreadRanks.run(2) { group in
            var configuration = TrainingConfiguration()
            (configuration.accumulate, configuration.seed) = (2, UInt64(group.rank))
            var inputs = TrainingInputs(
                model: try TinyModel.load(), source: MemorySource(), configuration: configuration,
                run: RunFolder(corpus: folder, name: "run"))
            inputs.ranks = group
            do {
                _ = try Trainer(inputs).train()
                return ""
            } catch { return error.description }
        }
        #expect(says[0] == says[1] && says[0].hasPrefix("rank 1 has the settings"), "\(says)")
    }
}
