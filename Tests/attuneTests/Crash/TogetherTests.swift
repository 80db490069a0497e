import Foundation
import TestSupport
import Testing

/// Many processes on one corpus at once: nothing is lost, nothing is made twice, everything verifies.
@Suite(.serialized) struct TogetherTests {
    private let scratch: Scratch
    private let corpus: String
    private let prompts: String

    init() throws {
        scratch = try Scratch()
        corpus = scratch.path("corpus")
        prompts = try scratch.file(
            "prompts.txt", "a red circle\na star and a cross\nthree green stars\na blue square\n")
        try Attune.succeed("init", "--corpus", corpus)
    }

    private func generate(_ more: [String]) -> [String] {
        [
            "generate", "--corpus", corpus, "--model", Attune.model, "--prompts", prompts, "--steps", "2", "--batch",
            "1",
        ] + more
    }

    private func shards(_ corpus: String) -> Set<String> {
        let names = FileManager.default.enumerator(atPath: corpus + "/shards")?.compactMap { $0 as? String } ?? []
        return Set(names.filter { $0.hasSuffix(".h5") })
    }

    @Test func partsFillOneCorpus() throws {
        let parts = try (1...4).map { part in
            try Attune.start(generate(["--images-per-prompt", "3", "--part", "\(part)/4"]))
        }
        for part in parts { #expect(try part.wait().status == 0) }
        let one = scratch.path("one")
        try Attune.succeed("init", "--corpus", one)
        let alone = try Attune.start(
            generate(["--images-per-prompt", "3"]).map { $0 == corpus ? one : $0 }
        ).wait()
        #expect(alone.status == 0)
        #expect(shards(corpus) == shards(one))
        #expect(try Query.count(corpus) == 12)
        // A catalogue that knows nothing catches up by itself.
        for name in try FileManager.default.contentsOfDirectory(atPath: corpus) where name.hasPrefix("catalog") {
            try FileManager.default.removeItem(atPath: "\(corpus)/\(name)")
        }
        #expect(try Query.count(corpus) == 12)
        #expect(try Attune.run("verify", "--corpus", corpus).status == 0)
    }

    /// Writers, readers, a trainer that follows, `pack` and `gc` without grace, until the writers are done.
    @Test func writersReadersTrainerPackAndGcLoseNothing() throws {
        try #require(try Attune.start(generate(["--images-per-prompt", "1"])).wait().status == 0)
        try Attune.succeed("select", "--corpus", corpus, "best")
        let rounds = Attune.isLong ? 24 : 6
        let writers = try (1...2).map { part in
            try Attune.start(generate(["--images-per-prompt", "\(rounds)", "--part", "\(part)/2"]))
        }
        let trainer = try Attune.start([
            "train", "--corpus", corpus, "best", "--model", Attune.model, "--run", "r", "--rank", "4", "--steps",
            "\(2 * rounds)", "--batch", "2", "--accumulate", "1", "--checkpoint-every", "4", "--follow",
        ])
        let others = [
            ["pack", "--size", "200KiB"], ["gc", "--grace", "0"], ["select", "best"], ["verify"],
            ["export", "best", "--format", "imagefolder"], ["query", "mi > 0"], ["gc", "--grace", "0", "--keep", "1"],
        ]
        var turns = 0
        while writers.contains(where: \.isRunning) || trainer.isRunning {
            var arguments = others[turns % others.count]
            if arguments[0] == "export" { arguments += ["--to", scratch.path("out-\(turns)")] }
            let outcome = try Attune.start(arguments + ["--corpus", corpus]).wait()
            #expect(outcome.status == 0, "\(arguments): \(outcome.output)\(outcome.errors)")
            turns += 1
        }
        for writer in writers {
            let end = try writer.wait()
            #expect(end.status == 0, "\(end.errors)")
        }
        let end = try trainer.wait()
        #expect(end.status == 0, "\(end.errors)")
        #expect(try Query.count(corpus) == 4 * rounds)
        try Attune.succeed("pack", "--corpus", corpus)
        #expect(shards(corpus).count == 1)
        let verify = try Attune.run("verify", "--corpus", corpus)
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
        #expect(try Query.count(corpus) == 4 * rounds)
        // The run can be read again from what is left: the same command finds it finished.
        #expect(try Attune.run("gc", "--corpus", corpus, "--grace", "0", "--dry-run").status == 0)
    }
}
