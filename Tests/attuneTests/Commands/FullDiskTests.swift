import Foundation
import TestSupport
import Testing

/// A disk that is full at any point: one line of error, and a corpus that still verifies and can be used.
@Suite(.serialized) struct FullDiskTests {
    /// Runs the command with a limit on how far any file may grow, in KiB.
    private func limited(_ kilobytes: Int, _ arguments: [String]) throws -> Outcome {
        let quoted = ([Attune.binary.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        return try RunningCommand(
            URL(fileURLWithPath: "/bin/bash"), ["-c", "ulimit -f \(kilobytes); exec \(quoted)"]
        ).wait()
    }

    @Test(arguments: [4, 16, 40]) func generateLosesNothing(kilobytes: Int) throws {
        let corpus = try SmallCorpus()
        let before = corpus.shards
        let arguments = [
            "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts,
            "--images-per-prompt", "8", "--steps", "2", "--batch", "16",
        ]
        let cut = try limited(kilobytes, arguments)
        #expect(cut.status == 1, "\(cut.output)\(cut.errors)")
        #expect(cut.failures.count == 1, "\(cut.errors)")
        #expect(Set(corpus.shards).isSuperset(of: before))
        let verify = try Attune.run("verify", "--corpus", corpus.path)
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
        let again = try Attune.start(arguments).wait()
        #expect(again.status == 0, "\(again.errors)")
        #expect(try Query.count(corpus.path) == 6 + 16)
        #expect(try FileManager.default.contentsOfDirectory(atPath: corpus.path + "/tmp").isEmpty)
    }

    @Test func trainAndExportSayWhatIsWrong() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let train = [
            "train", "--corpus", corpus.path, "best", "--model", Attune.model, "--run", "r", "--rank", "4", "--steps",
            "2", "--batch", "2", "--accumulate", "1",
        ]
        let cut = try limited(64, train)
        #expect(cut.status == 1, "\(cut.output)\(cut.errors)")
        #expect(cut.failures.count == 1, "\(cut.errors)")
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
        #expect(try Attune.start(train).wait().status == 0)

        let to = corpus.scratch.path("out")
        let export = try limited(
            1, ["export", "--corpus", corpus.path, "best", "--format", "imagefolder", "--to", to])
        #expect(export.status == 1, "\(export.output)\(export.errors)")
        #expect(export.failures.count == 1, "\(export.errors)")
        #expect(!FileManager.default.fileExists(atPath: to))
    }
}
