import Foundation
import Testing

/// Standard streams that are closed, full or gone: work continues, and output that could not be written is a failure.
@Suite struct StandardStreamTests {
    private let corpus: SmallCorpus

    init() throws {
        corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
    }

    private func train(_ run: String) -> [String] {
        [
            "train", "--corpus", corpus.path, "best", "--model", Attune.model, "--run", run, "--rank", "2", "--steps",
            "2",
            "--batch", "1", "--accumulate", "1",
        ]
    }

    @Test func aStandardErrorThatTakesNothingEndsNoWork() throws {
        for (number, redirection) in ["2>/dev/full", "2>&-", "<&- >&- 2>&-", "2> >(:)"].enumerated() {
            let outcome = try Shell.run("\(Shell.attune(train("r\(number)"))) \(redirection)")
            #expect(outcome.status == 0, "\(redirection): \(outcome.errors)")
            let adapter = corpus.path + "/runs/r\(number)/adapter/pytorch_lora_weights.safetensors"
            #expect(FileManager.default.fileExists(atPath: adapter))
            let failing = try Shell.run("\(Shell.attune(["query", "--corpus", "/nowhere"])) \(redirection)")
            #expect(failing.status == 1 && !failing.wasKilled, "\(redirection): \(failing.errors)")
        }
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func outputThatCannotBeWrittenIsAFailure() throws {
        let commands = [
            ["query"], ["query", "--json"], ["info"], ["selections"], ["show", "best"], ["annotations"], ["verify"],
            ["diff", "best", "best"], ["pack", "--dry-run"], ["gc", "--dry-run"],
        ]
        for command in commands {
            let arguments = [command[0], "--corpus", corpus.path] + command.dropFirst()
            let outcome = try Shell.run("\(Shell.attune(arguments)) >/dev/full")
            #expect(outcome.status == 1, "\(command)")
            #expect(outcome.failures.count == 1 && outcome.errors.contains("standard output"), "\(outcome.errors)")
        }
    }

    @Test func helpAndVersionToo() throws {
        for arguments in [["--help"], ["--version"], ["doctor"], ["help", "query"]] {
            #expect(try Shell.run("\(Shell.attune(arguments)) >/dev/full").status == 1, "\(arguments)")
        }
    }

    /// What is done is done, and is said to have been.
    @Test func workIsKeptWhenItsOutputIsNot() throws {
        let outcome = try Shell.run("\(Shell.attune(train("full"))) >/dev/full")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(try Attune.start(train("full")).wait().status == 0)
        #expect(try String(contentsOfFile: corpus.path + "/runs/full/log.jsonl", encoding: .utf8).contains("finished"))
    }

    @Test func aReaderThatGoesAwayIsQuiet() throws {
        let outcome = try Shell.run(
            "\(Shell.attune(["query", "--corpus", corpus.path])) | head -n 1; exit ${PIPESTATUS[0]}")
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("id "))
        let closed = try Shell.run("\(Shell.attune(["query", "--corpus", corpus.path])) | true")
        #expect(closed.errors.isEmpty, "\(closed.errors)")
    }
}
