import Foundation
import TestSupport
import Testing

/// Selections from files and other selections, their differences and their history.
@Suite struct SelectionCommandTests {
    private struct Diff: Decodable {
        struct Side: Decodable {
            let samples: Int
            let only: [String]
            let mean_mi: Double?
        }

        let a, b: Side
        let common: Int
        let same_order: Bool
        let mean_mi_change: Double?
    }

    private struct Shown: Decodable {
        struct Sample: Decodable { let id: String }
        let samples: [Sample]
    }

    private func ids(_ corpus: SmallCorpus, _ selection: String) throws -> [String] {
        let text = try Attune.succeed("show", "--corpus", corpus.path, selection, "--json")
        return try JSONDecoder().decode(Shown.self, from: Data(text.utf8)).samples.map(\.id)
    }

    @Test func setsFilesAndDifferences() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        try Attune.succeed("select", "--corpus", corpus.path, "all", "--all")
        try Attune.succeed("select", "--corpus", corpus.path, "rest", "--subtract", "all", "best")
        try Attune.succeed("select", "--corpus", corpus.path, "none", "--intersect", "all", "best", "--json")
        try Attune.succeed("select", "--corpus", corpus.path, "again", "--union", "best", "rest")
        let (best, all, rest) = try (ids(corpus, "best"), ids(corpus, "all"), ids(corpus, "rest"))
        #expect(best.count == 2 && all.count == 6 && rest == all.filter { !best.contains($0) })
        #expect(try ids(corpus, "again") == best + rest)

        let list = try corpus.scratch.file("ids.txt", "# mine\r\n\(rest[1])\r\n\(best[0].prefix(12))  why not\n")
        try Attune.succeed("select", "--corpus", corpus.path, "best", "--from", list)
        #expect(try ids(corpus, "best") == [rest[1], best[0]])
        #expect(try ids(corpus, "best~1") == best)

        let text = try Attune.succeed("diff", "--corpus", corpus.path, "best~1", "best", "--json")
        let diff = try JSONDecoder().decode(Diff.self, from: Data(text.utf8))
        #expect(diff.common == 1 && diff.a.only == [best[1]] && diff.b.only == [rest[1]] && diff.same_order)
        let mi = try Dictionary(uniqueKeysWithValues: Query.samples(corpus.path).map { ($0.id, $0.mi ?? 0) })
        let expected = ((mi[rest[1]] ?? 0) - (mi[best[1]] ?? 0)) / 2
        #expect(abs((diff.mean_mi_change ?? .nan) - expected) < 1e-9)
        let table = try Attune.succeed("diff", "--corpus", corpus.path, "best~1", list)
        #expect(table.contains("only in A\n") && table.contains(best[1].prefix(12)))

        let history = try Attune.succeed("selections", "--corpus", corpus.path, "best")
        #expect(history.contains("best~1") && history.contains("+1") && history.contains("--from a list"))

        // A document means the same in every corpus that has its samples.
        let documents = corpus.path + "/selections"
        let document = try #require(try FileManager.default.contentsOfDirectory(atPath: documents).first)
        let taken = try Attune.succeed(
            "select", "--corpus", corpus.path, "copy", "--from", documents + "/" + document)
        #expect(taken.contains(document.prefix(64)))
    }

    @Test func theLeastScoreMayBeNegative() throws {
        let corpus = try SmallCorpus()
        #expect(try Attune.succeed("select", "--corpus", corpus.path, "all", "--min-score", "-1e9").contains("all: "))
    }

    @Test func whatMakesNoSenseIsNamed() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let stranger = try corpus.scratch.file("strangers.txt", String(repeating: "0", count: 64))
        for (arguments, status, part) in [
            (["select", "x", "--from", stranger], 1, "1 of its 1 samples are not in this corpus"),
            (["select", "x", "--from", corpus.scratch.path("nothing")], 1, "cannot be read"),
            (["select", "x", "--union", "best", "worst"], 1, "no such selection; there are best"),
            (["select", "x", "--union", "best"], 64, "two selections"),
            (["select", "x", "--union", "best", "best", "--top", "2"], 64, "--top"),
            (["select", "x", "--from", stranger, "--union", "best", "best"], 64, "exclude"),
            (["select", "x", "--subtract", "best", "best"], 1, "nothing was selected"),
            (["diff", "best~1", "best"], 1, "begins with best~0"),
            (["selections", "worst"], 1, "no such selection; there are best"),
        ] {
            let command = [arguments[0], "--corpus", corpus.path] + arguments.dropFirst()
            let outcome = try Attune.start(command).wait()
            #expect(outcome.status == Int32(status), "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.contains(part), "\(arguments): \(outcome.errors)")
        }
    }
}
