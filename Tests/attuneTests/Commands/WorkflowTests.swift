import Foundation
import TestSupport
import Testing

/// From prompts to an export, as a user goes.
@Suite struct WorkflowTests {
    @Test func aRerunSkipsWhatExists() throws {
        let corpus = try SmallCorpus()
        let before = corpus.shards
        let again = try corpus.generate()
        #expect(again.output.contains("0 images made, 6 already present"))
        #expect(corpus.shards == before)
        let more = try corpus.generate("--images-per-prompt", "4")
        #expect(more.output.contains("2 images made, 6 already present"))
        #expect(try Query.count(corpus.path) == 8)
    }

    @Test func candidateNumberIUsesSeedPlusI() throws {
        let corpus = try SmallCorpus()
        let samples = try Query.samples(corpus.path)
        #expect(Set(samples.map(\.prompt)) == ["a red circle", "a star and a cross"])
        #expect(samples.map(\.seed).sorted() == [42, 42, 43, 43, 44, 44])
        #expect(samples.allSatisfy { ($0.mi ?? -1) >= 0 })
    }

    @Test func partsFillOneCorpus() throws {
        let corpus = try SmallCorpus()
        let other = corpus.scratch.path("parts")
        try Attune.succeed("init", "--corpus", other)
        let commands = try ["1/2", "2/2"].map { part in
            try Attune.start([
                "generate", "--corpus", other, "--model", Attune.model, "--prompts", corpus.prompts,
                "--images-per-prompt", "3", "--steps", "3", "--batch", "3", "--part", part,
            ])
        }
        for command in commands {
            let outcome = try command.wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(
            try Set(Query.samples(other).map(\.id)) == Set(Query.samples(corpus.path).map(\.id)),
            "the parts together are the whole")
    }

    @Test func twoAtOnceOnTheSameWorkBothSucceed() throws {
        let corpus = try SmallCorpus()
        let commands = try (0..<2).map { _ in
            try Attune.start([
                "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts,
                "--images-per-prompt", "6", "--steps", "2", "--batch", "2",
            ])
        }
        for command in commands {
            let outcome = try command.wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try Query.count(corpus.path) == 6 + 12)
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func interruptionStopsAtABatchAndSaysHowToGoOn() throws {
        let corpus = try SmallCorpus()
        let arguments = [
            "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts,
            "--images-per-prompt", "60", "--steps", "4", "--batch", "2",
        ]
        let command = try Attune.start(arguments)
        while corpus.shards.count < 4, command.isRunning { Thread.sleep(forTimeInterval: 0.05) }
        command.send(SIGINT)
        let outcome = try command.wait()
        #expect(outcome.status == 130, "\(outcome.errors)")
        #expect(outcome.failures.count == 1)
        #expect(outcome.errors.contains("the same command makes the rest"))
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func selectsTheBestAndExportsThem() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best", "--by", "mi", "--top", "1", "--per", "prompt")
        #expect(try Attune.succeed("selections", "--corpus", corpus.path).contains("best"))
        let all = try Query.samples(corpus.path)
        let best = Dictionary(grouping: all, by: \.prompt).compactMapValues {
            $0.max { ($0.mi ?? 0) < ($1.mi ?? 0) }?.id
        }

        let out = corpus.scratch.url.appendingPathComponent("export")
        try Attune.succeed("export", "--corpus", corpus.path, "best", "--format", "imagefolder", "--to", out.path)
        struct Line: Decodable { let file_name: String, text: String, mi: Double, id: String }
        let train = out.appendingPathComponent("train")
        let lines = try Data(contentsOf: train.appendingPathComponent("metadata.jsonl"))
            .split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Line.self, from: $0) }
        #expect(Dictionary(uniqueKeysWithValues: lines.map { ($0.text, $0.id) }) == best)
        for line in lines {
            let png = try Data(contentsOf: train.appendingPathComponent(line.file_name))
            #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        }
        let refused = try Attune.run(
            "export", "--corpus", corpus.path, "best", "--format", "imagefolder", "--to", out.path)
        #expect(refused.status == 1)
        #expect(refused.failures.count == 1)

        let shard = corpus.scratch.url.appendingPathComponent("shard")
        try Attune.succeed("export", "--corpus", corpus.path, "best", "--format", "shard", "--to", shard.path)
        let files = try FileManager.default.subpathsOfDirectory(atPath: shard.path).filter { $0.hasSuffix(".h5") }
        #expect(files.count == 1)
    }

    @Test func aDeletedCatalogueIsRebuilt() throws {
        let corpus = try SmallCorpus()
        let before = try Query.samples(corpus.path, ["--by", "mi"]).map(\.id)
        for file in try FileManager.default.contentsOfDirectory(atPath: corpus.path) where file.hasPrefix("catalog") {
            try FileManager.default.removeItem(atPath: corpus.path + "/" + file)
        }
        try Attune.succeed("reindex", "--corpus", corpus.path)
        #expect(try Query.samples(corpus.path, ["--by", "mi"]).map(\.id) == before)
    }

    @Test func scoresStoredImages() throws {
        let corpus = try SmallCorpus()
        let output = try Attune.succeed(
            "score", "--corpus", corpus.path, "--model", Attune.model, "--where", "seed = 42", "--draws", "1")
        #expect(output.contains("2"))
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }
}
