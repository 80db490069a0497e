import Foundation
import TestSupport
import Testing

/// Few files may be open at once: everything works, more slowly.
@Suite struct FileLimitTests {
    @Test func manySmallShardsAreMerged() throws {
        let corpus = try SmallCorpus()
        let made = try corpus.generate("--images-per-prompt", "36", "--steps", "1", "--batch", "1")
        try #require(made.status == 0, "\(made.errors)")
        try Attune.succeed("select", "--corpus", corpus.path, "all", "--all")
        let shards = corpus.shards.count
        try #require(shards > 64)
        func limited(_ arguments: String...) throws -> Outcome {
            let arguments = [arguments[0], "--corpus", corpus.path] + arguments.dropFirst()
            return try Shell.run("ulimit -n 64; exec \(Shell.attune(arguments))")
        }
        // Reading needs no more files than there may be.
        let export = try limited("export", "all", "--format", "imagefolder", "--to", corpus.scratch.path("out"))
        #expect(export.status == 0, "\(export.errors)")
        let pack = try limited("pack")
        #expect(pack.status == 0 && pack.failures.isEmpty, "\(pack.errors)")
        #expect(corpus.shards.count < 10)
        let verify = try limited("verify")
        #expect(verify.status == 0, "\(verify.output)")
        #expect(try Query.count(corpus.path) == 78)
    }

    @Test func theSoftLimitIsRaised() throws {
        let corpus = try SmallCorpus()
        // Not enough for a start, were it not raised.
        let outcome = try Shell.run(
            "ulimit -Sn 12; exec \(Shell.attune(["query", "--corpus", corpus.path, "--json"]))")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
