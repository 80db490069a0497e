import Foundation
import TestSupport
import Testing
import attune
import Workflows

@Suite struct MaintenanceCommandTests {
    private struct Verified: Decodable {
        struct Object: Decodable {
            let kind, object, message: String
            let samples, selections, runs: [String]
        }
        struct Repair: Decodable {
            let action: String
        }
        let shards, selections: Int
        let damage: [Object]
        let repairs: [Repair]
    }

    private func verify(_ corpus: SmallCorpus, _ more: String...) throws -> (status: Int32, report: Verified) {
        let outcome = try Attune.start(["verify", "--json", "--corpus", corpus.path] + more).wait()
        return (outcome.status, try JSONDecoder().decode(Verified.self, from: Data(outcome.output.utf8)))
    }

    @Test func verifyNamesAndRepairs() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let copy = corpus.scratch.path("copy")
        try FileManager.default.copyItem(atPath: corpus.path, toPath: copy)
        #expect(try Attune.succeed("verify", "--corpus", corpus.path).contains("OK: 2 shards, 1 selection, 1 name"))
        var bytes = try Data(contentsOf: corpus.shards[0])
        bytes[bytes.count / 2] ^= 8
        try bytes.write(to: corpus.shards[0])
        let found = try verify(corpus)
        #expect(found.status == 2 && found.report.damage.count == 1)
        let damage = try #require(found.report.damage.first)
        #expect(damage.kind == "shard" && damage.samples.count == 3 && damage.selections == ["best"])
        let mended = try verify(corpus, "--repair", "--from", copy)
        #expect(mended.status == 0 && mended.report.repairs.map(\.action) == ["restored"])
        #expect(FileManager.default.fileExists(atPath: corpus.path + "/quarantine/shards"))
        #expect(try Attune.run("verify", "--corpus", corpus.path, "--sample", "50%").status == 0)
        #expect(try Attune.run("verify", "--corpus", corpus.path, "--from", copy).status == 64)
    }

    @Test func whatARemoteHasIsFetched() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "all", "--all")
        let layout = "oci:" + corpus.scratch.path("layout")
        try Attune.succeed("push", "--corpus", corpus.path, "all", layout)
        var bytes = try Data(contentsOf: corpus.shards[0])
        bytes[bytes.count / 2] ^= 8
        try bytes.write(to: corpus.shards[0])
        let mended = try verify(corpus, "--repair", "--from", layout)
        #expect(mended.status == 0 && mended.report.repairs.map(\.action) == ["quarantined"])
        #expect(try Query.count(corpus.path) == 6)
    }

    @Test func packMergesAndGcDrops() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        #expect(try Attune.succeed("pack", "--corpus", corpus.path, "--dry-run").contains("2 shards would be merged"))
        #expect(try Attune.succeed("pack", "--corpus", corpus.path).contains("2 shards merged into 1"))
        #expect(corpus.shards.count == 1)
        #expect(try Query.count(corpus.path) == 6)
        #expect(try Attune.succeed("gc", "--corpus", corpus.path, "--keep-none").hasPrefix("0 samples"))
        let trial = try Attune.succeed("gc", "--corpus", corpus.path, "--keep-none", "--grace", "0", "--dry-run")
        #expect(trial.contains("4 samples, 0 selections, 1 shard and 0 unfinished writes would go"))
        #expect(try Query.count(corpus.path) == 6)
        try Attune.succeed("gc", "--corpus", corpus.path, "--keep-none", "--grace", "0")
        #expect(try Query.count(corpus.path) == 2)
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
        #expect(try Attune.run("gc", "--corpus", corpus.path, "--keep", "nothing = 1").status == 1)
        #expect(try Attune.run("gc", "--corpus", corpus.path, "--keep", "1", "--keep-none").status == 64)
    }

    @Test(arguments: [("5%", 0.05), ("0.25", 0.25), ("100%", 1)])
    func sharesAreParts(text: String, value: Double) { #expect(Fraction(argument: text)?.value == value) }

    @Test(arguments: ["0%", "101%", "x", "", "-1"])
    func whatIsNoShareIsRefused(text: String) { #expect(Fraction(argument: text) == nil) }

    @Test func agesAndSizesHaveUnits() {
        #expect(Age(argument: "14d")?.seconds == 1_209_600.0)
        #expect(Age(argument: "1.5h")?.seconds == 5400.0)
        #expect(Age(argument: "0")?.seconds == 0.0)
        #expect(Age(argument: "14") == nil && Age(argument: "-1d") == nil && Age(argument: "d") == nil)
        #expect(ByteSize(argument: "256MiB")?.bytes == 256 << 20)
        #expect(ByteSize(argument: "1000")?.description == "1000 bytes")
        #expect(ByteSize(argument: "0") == nil && ByteSize(argument: "9999999999GiB") == nil)
        #expect(Moment(argument: "2026-11-01") != nil && Moment(argument: "7d") != nil)
        #expect(Moment(argument: "yesterday") == nil)
    }
}
