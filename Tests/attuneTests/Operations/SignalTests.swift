import Foundation
import Testing

/// Signals: the first one ends work at a point where nothing is half done, a second Ctrl-C at once. Status 130 for what a user
/// sends, 75 for what a scheduler does.
@Suite struct SignalTests {
    private func long(_ corpus: SmallCorpus) -> [String] {
        [
            "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts,
            "--images-per-prompt", "400", "--steps", "4", "--batch", "2",
        ]
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1]) func oneEndsWorkCleanly(signal: Int32) throws {
        let corpus = try SmallCorpus()
        let command = try Attune.start(long(corpus))
        while corpus.shards.count < 4, command.isRunning { Thread.sleep(forTimeInterval: 0.02) }
        command.send(signal)
        // As Slurm does at preemption, and again to the job's steps.
        if signal == SIGTERM { [SIGCONT, SIGTERM, SIGCONT, SIGTERM].forEach(command.send) }
        let outcome = try command.wait()
        let expected: Int32 = signal == SIGTERM || signal == SIGUSR1 ? 75 : 130
        #expect(outcome.status == expected && !outcome.wasKilled, "\(outcome.errors)")
        #expect(outcome.failures.count == 1, "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: corpus.path + "/tmp").isEmpty)
    }

    @Test func theSecondEndsItAtOnce() throws {
        let corpus = try SmallCorpus()
        // One batch of everything: it would take long to its end.
        let command = try Attune.start(long(corpus) + ["--batch", "800", "--steps", "200"])
        Thread.sleep(forTimeInterval: 1)
        command.send(SIGINT)
        Thread.sleep(forTimeInterval: 0.2)
        if command.isRunning { command.send(SIGINT) }
        let outcome = try command.wait()
        #expect(outcome.status == 130 && !outcome.wasKilled, "\(outcome.errors)")
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
        #expect(try Query.count(corpus.path) == 6)
    }

    @Test func workOutlivesItsTerminalUnderNohup() throws {
        let corpus = try SmallCorpus()
        let arguments = Shell.attune(long(corpus) + ["--images-per-prompt", "12"])
        let outcome = try Shell.run("trap '' HUP; \(arguments) & sleep 0.3; kill -HUP $!; wait $!")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Query.count(corpus.path) == 6 + 24)
    }

    @Test func aCommandThatCannotStopBetweenEndsWith130() throws {
        let corpus = try SmallCorpus()
        let endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n) > 0"
        let command = try Attune.start(["query", "--corpus", corpus.path, endless])
        while !command.handles(SIGINT), command.isRunning { Thread.sleep(forTimeInterval: 0.02) }
        command.send(SIGINT)
        let outcome = try command.wait()
        #expect(outcome.status == 130 && !outcome.wasKilled, "\(outcome.errors)")
        #expect(outcome.failures == ["attune: interrupted"])
    }
}
