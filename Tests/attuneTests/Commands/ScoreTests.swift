import Foundation
import Testing

@Suite struct ScoreTests {
    private struct Scored: Decodable {
        let id: String
        let mi: Double
        let mc: Double?
        let mc_se: Double?
        let mc_draws: Int?
    }

    @Test func measuresStoredImagesOnce() throws {
        let corpus = try SmallCorpus()
        let arguments = [
            "score", "--corpus", corpus.path, "--model", Attune.model, "--where", "seed < 44", "--draws", "3",
            "--steps", "5",
        ]
        let first = try Attune.start(arguments).wait()
        #expect(first.output.contains("4 images scored, 0 already scored"), "\(first.output)\(first.errors)")
        let again = try Attune.start(arguments).wait()
        #expect(again.output.contains("0 images scored, 4 already scored"), "\(again.output)\(again.errors)")

        let listing = try Attune.succeed("query", "--corpus", corpus.path, "mc IS NOT NULL", "--json")
        let scored = try JSONDecoder().decode([Scored].self, from: Data(listing.utf8))
        #expect(scored.count == 4)
        #expect(scored.allSatisfy { ($0.mc ?? -1) > 0 && ($0.mc_se ?? -1) > 0 && $0.mc_draws == 3 })

        // Derived from the sealed scores alone.
        try Attune.succeed("reindex", "--corpus", corpus.path)
        #expect(try Attune.succeed("query", "--corpus", corpus.path, "mc IS NOT NULL", "--json") == listing)
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func sayWhenNothingFits() throws {
        let corpus = try SmallCorpus()
        let outcome = try Attune.run(
            "score", "--corpus", corpus.path, "--model", Attune.model, "--where", "seed > 1000")
        #expect(outcome.status == 1)
        #expect(outcome.failures.first?.contains("no sample fits") == true)
    }
}
