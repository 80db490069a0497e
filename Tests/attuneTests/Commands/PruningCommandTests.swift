import Foundation
import TestSupport
import Testing

/// `attune generate --keep-best`: what it prints, and which options belong together.
@Suite struct PruningCommandTests {
    private let corpus: SmallCorpus

    init() throws { corpus = try SmallCorpus() }

    private func generate(_ more: String...) throws -> Outcome {
        try Attune.start(
            [
                "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts, "--steps",
                "4",
                "--images-per-prompt", "4",
            ] + more
        ).wait()
    }

    @Test func whatWasSavedIsPrinted() throws {
        let outcome = try generate("--keep-best", "1", "--after", "50%")
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("images made, 0 already present\n"))
        #expect(outcome.output.contains(" % of what finishing all candidates would have taken"))
        let again = try generate("--keep-best", "1", "--after", "50%", "--json")
        try #require(again.status == 0, "\(again.errors)")
        let summary = try #require(
            try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any])
        #expect(summary["made"] as? Int == 0 && (summary["present"] as? Int ?? 0) > 0)
        #expect((summary["forwards"] as? [String: Int])?["spent"] == 0)
        let plain = try generate("--json")
        let whole = try #require(
            try JSONSerialization.jsonObject(with: Data(plain.output.utf8)) as? [String: Any])
        #expect((whole["made"] as? Int ?? 0) > 0 && whole["forwards"] == nil)
        try Attune.succeed("verify", "--corpus", corpus.path)
    }

    @Test(
        arguments: [
            (["--after", "0.5"], "--after goes with --keep-best"),
            (["--negatives", "rules"], "--negatives goes with --keep-best"),
            (["--keep-best", "2", "--prune-by", "mi", "--negatives", "rules"], "compares with no near misses"),
            (["--keep-best", "2", "--prune-by", "contrast:error=-1"], "'contrast:error=-1' is invalid"),
            (["--keep-best", "4"], "--keep-best is 4, and there are 4 candidates"),
            (["--keep-best", "2", "--after", "0.99"], "nothing is left to save"),
            (["--keep-best", "2", "--guidance", "1"], "--prune-by mi: without guidance"),
        ] as [([String], String)])
    func whatDoesNotBelongTogetherIsStatus64(options: [String], text: String) throws {
        let outcome = try Attune.start(
            [
                "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts, "--steps",
                "4",
                "--images-per-prompt", "4",
            ] + options
        ).wait()
        #expect(outcome.status == 64 && outcome.errors.contains(text), "\(outcome.errors)")
    }
}
