import Foundation
import TestSupport
import Testing

/// Training killed at random moments and resumed gives the adapter of an uninterrupted run, byte for byte.
@Suite(.serialized) struct TrainCrashTests {
    private let scratch: Scratch
    private let corpus: String

    init() throws {
        scratch = try Scratch()
        corpus = scratch.path("corpus")
        let prompts = try scratch.file("prompts.txt", "a red circle\na star and a cross\nthree green stars\n")
        try Attune.succeed("init", "--corpus", corpus)
        try Attune.succeed(
            "generate", "--corpus", corpus, "--model", Attune.model, "--prompts", prompts, "--images-per-prompt", "2",
            "--steps", "2")
        try Attune.succeed("select", "--corpus", corpus, "best", "--by", "mi", "--top", "1", "--per", "prompt")
    }

    private func arguments(run: String) -> [String] {
        [
            "train", "--corpus", corpus, "best", "--model", Attune.model, "--run", run, "--rank", "4", "--alpha", "4",
            "--steps", "6", "--batch", "2", "--accumulate", "1", "--lr", "1e-3", "--checkpoint-every", "2",
        ]
    }

    private func adapter(run: String) -> URL {
        URL(fileURLWithPath: corpus)
            .appendingPathComponent("runs/\(run)/adapter/pytorch_lora_weights.safetensors")
    }

    @Test func survivesKillsAtRandomMoments() throws {
        let began = ContinuousClock.now
        let outcome = try Attune.start(arguments(run: "whole")).wait()
        var moments = KillMoments(duration: (ContinuousClock.now - began) / .seconds(1))
        try #require(outcome.status == 0, "\(outcome.errors)")
        let expected = try Data(contentsOf: adapter(run: "whole"))

        let wanted = Attune.kills
        var kills = 0
        var runs = 0
        while kills < wanted {
            runs += 1
            let run = "killed-\(runs)"
            // Kill each run until it gets through.
            while true {
                let command = try Attune.start(arguments(run: run))
                moments.wait()
                command.send(SIGKILL)
                let end = try command.wait()
                moments.take(wasKilled: end.wasKilled)
                guard end.wasKilled else {
                    #expect(end.status == 0, "\(end.errors)")
                    break
                }
                kills += 1
                if kills >= wanted { break }
            }
            let last = try Attune.start(arguments(run: run)).wait()
            #expect(last.status == 0, "\(last.errors)")
            #expect(try Data(contentsOf: adapter(run: run)) == expected, "run \(run) gave another adapter")
        }
        #expect(try Attune.run("verify", "--corpus", corpus).status == 0)
    }

    @Test func interruptionLeavesACheckpointAndSaysHowToGoOn() throws {
        let long = arguments(run: "long").map { $0 == "6" ? "400" : $0 }
        let command = try Attune.start(long)
        let checkpoints = URL(fileURLWithPath: corpus).appendingPathComponent("runs/long/checkpoints")
        while command.isRunning,
            (try? FileManager.default.contentsOfDirectory(atPath: checkpoints.path))?.count ?? 0 < 2
        { Thread.sleep(forTimeInterval: 0.02) }
        command.send(SIGINT)
        let outcome = try command.wait()
        #expect(outcome.status == 130, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.failures.count == 1)
        #expect(outcome.errors.contains("the same command resumes from there"))
    }
}
