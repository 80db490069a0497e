import Foundation
import TestSupport
import Testing

/// Every failure is one line that names the thing and what to do, a documented status, and a corpus that still verifies.
@Suite struct BadInputTests {
    private func expectOneLine(
        _ outcome: Outcome, status: Int32 = 1, naming name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.status == status, "\(outcome.output)\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.failures.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.failures.first?.contains(name) == true, "\(outcome.errors)", sourceLocation: sourceLocation)
    }

    @Test func aCorpusThatIsNotThere() throws {
        expectOneLine(try Attune.run("info", "--corpus", "/nowhere/corpus"), naming: "/nowhere/corpus")
    }

    @Test func noCorpusAtAll() throws {
        let outcome = try Attune.run("info", environment: ["ATTUNE_CORPUS": ""])
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("ATTUNE_CORPUS"))
    }

    @Test func anEmptyOrMissingOrForeignPromptFile() throws {
        let corpus = try SmallCorpus()
        let empty = try corpus.scratch.file("empty.txt", "\n \r\n")
        expectOneLine(try corpus.generate("--prompts", empty), naming: "empty.txt")
        expectOneLine(try corpus.generate("--prompts", "/nowhere/prompts.txt"), naming: "/nowhere/prompts.txt")
        let latin = corpus.scratch.url.appendingPathComponent("latin.txt")
        try Data("a star\n".utf8 + [0x63, 0x61, 0x66, 0xE9]).write(to: latin)
        expectOneLine(try corpus.generate("--prompts", latin.path), naming: "line 2")
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func longAndForeignPromptsAreKeptWhole() throws {
        let corpus = try SmallCorpus()
        let long = String(repeating: "a red circle and ", count: 17) + "a star with \u{1F7E5} caf\u{E9}"
        let file = try corpus.scratch.file("long.txt", long)
        let outcome = try corpus.generate("--prompts", file, "--images-per-prompt", "1")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("warning: the model reads only the beginning"))
        #expect(try Query.samples(corpus.path).contains { $0.prompt == long })
    }

    @Test func aModelWithAMissingOrTruncatedFile() throws {
        let corpus = try SmallCorpus()
        let copy = corpus.scratch.url.appendingPathComponent("model")
        try FileManager.default.copyItem(atPath: Attune.model, toPath: copy.path)
        let weights = copy.appendingPathComponent("unet/diffusion_pytorch_model.safetensors")
        let bytes = try Data(contentsOf: weights)
        try bytes.prefix(bytes.count / 2).write(to: weights)
        expectOneLine(try corpus.generate("--model", copy.path), naming: "unet/diffusion_pytorch_model.safetensors")
        try FileManager.default.removeItem(at: weights)
        expectOneLine(try corpus.generate("--model", copy.path), naming: "unet")
        expectOneLine(try corpus.generate("--model", "/nowhere/model"), naming: "/nowhere/model")
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func namesThatDoNotExist() throws {
        let corpus = try SmallCorpus()
        expectOneLine(try Attune.run("show", "--corpus", corpus.path, "nothing"), naming: "nothing")
        expectOneLine(
            try Attune.run(
                "export", "--corpus", corpus.path, "nothing", "--format", "imagefolder", "--to",
                corpus.scratch.path("out")), naming: "nothing")
        expectOneLine(
            try Attune.run("train", "--corpus", corpus.path, "nothing", "--model", Attune.model, "--run", "r"),
            naming: "nothing")
    }

    @Test func aConditionThatIsNotSQL() throws {
        let corpus = try SmallCorpus()
        #expect(try Attune.run("query", "--corpus", corpus.path, "no_such_column > 3").failures.count == 1)
        #expect(try Attune.run("query", "--corpus", corpus.path, "1; DROP TABLE samples").status == 1)
        #expect(try Query.count(corpus.path) == 6)
    }

    @Test func aFlippedByteIsFound() throws {
        let corpus = try SmallCorpus()
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
        let shard = try #require(corpus.shards.first)
        var bytes = try Data(contentsOf: shard)
        bytes[bytes.count / 2] ^= 1
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: shard.path)
        try bytes.write(to: shard)
        let damaged = try Attune.run("verify", "--corpus", corpus.path)
        #expect(damaged.status == 2, "\(damaged.output)\(damaged.errors)")
        #expect((damaged.output + damaged.errors).contains(shard.lastPathComponent))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: shard)
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func aCorpusOfANewerFormat() throws {
        let corpus = try SmallCorpus()
        let settings = URL(fileURLWithPath: corpus.path).appendingPathComponent("attune.json")
        var document = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: settings)) as? [String: Any])
        let key = try #require(document.keys.first { $0.lowercased().contains("version") || $0 == "format" })
        document[key] = 99
        try JSONSerialization.data(withJSONObject: document).write(to: settings)
        expectOneLine(try Attune.run("info", "--corpus", corpus.path), naming: "attune.json")
    }

    @Test func aTensorOfTheWrongShape() throws {
        let corpus = try SmallCorpus()
        let copy = corpus.scratch.url.appendingPathComponent("model")
        try FileManager.default.copyItem(atPath: Attune.model, toPath: copy.path)
        let weights = copy.appendingPathComponent("unet/diffusion_pytorch_model.safetensors")
        var bytes = try Data(contentsOf: weights)
        let length = Int(bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
        let pattern = /"conv_in\.weight":\{[^}]*"shape":\[(\d+),(\d+),3,3\]/
        let match = try #require(header.firstMatch(of: pattern))
        let swapped = match.0.replacing(
            "[\(match.1),\(match.2),3,3]", with: "[\(match.2),\(match.1),3,3]")
        bytes.replaceSubrange(8..<8 + length, with: Data(header.replacing(match.0, with: swapped).utf8))
        try bytes.write(to: weights)
        expectOneLine(try corpus.generate("--model", copy.path), naming: "conv_in")
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func aSelectionOfAnotherModelAndARunOfOtherSettings() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        func train(_ model: String, _ more: String...) throws -> Outcome {
            try Attune.start(
                [
                    "train", "--corpus", corpus.path, "best", "--model", model, "--run", "r", "--rank", "2", "--steps",
                    "1", "--batch", "1", "--accumulate", "1",
                ] + more
            ).wait()
        }
        let copy = corpus.scratch.url.appendingPathComponent("model")
        try FileManager.default.copyItem(atPath: Attune.model, toPath: copy.path)
        let scheduler = copy.appendingPathComponent("scheduler/scheduler_config.json")
        let text = try String(contentsOf: scheduler, encoding: .utf8)
        try text.replacing("0.012", with: "0.013").write(to: scheduler, atomically: true, encoding: .utf8)
        expectOneLine(try train(copy.path), naming: "was made with model")
        #expect(try train(Attune.model).status == 0)
        expectOneLine(try train(Attune.model, "--lr", "0.5"), naming: "lr")
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func moreStepsThanTheScheduleHas() throws {
        let corpus = try SmallCorpus()
        let outcome = try corpus.generate("--steps", "1001")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("1000 timesteps"))
    }
}
