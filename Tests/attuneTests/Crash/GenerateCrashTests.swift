import Foundation
import TestSupport
import Testing

/// Generation killed at random moments: what was sealed stays, and the corpus ends as if nothing had happened.
@Suite(.serialized) struct GenerateCrashTests {
    private let scratch: Scratch
    private let prompts: String

    init() throws {
        scratch = try Scratch()
        prompts = try scratch.file("prompts.txt", "a red circle\na star and a cross\nthree green stars\n")
    }

    private func arguments(_ corpus: String) -> [String] {
        [
            "generate", "--corpus", corpus, "--model", Attune.model, "--prompts", prompts, "--images-per-prompt", "4",
            "--steps", "2", "--guidance", "3", "--batch", "2",
        ]
    }

    @Test func survivesKillsAtRandomMoments() throws {
        let whole = scratch.path("whole")
        try Attune.succeed("init", "--corpus", whole)
        let began = ContinuousClock.now
        let outcome = try Attune.start(arguments(whole)).wait()
        var moments = KillMoments(duration: (ContinuousClock.now - began) / .seconds(1))
        try #require(outcome.status == 0, "\(outcome.errors)")
        let expected = try shards(whole)
        #expect(expected.count == 6)

        let wanted = Attune.kills
        var kills = 0
        var corpus = scratch.path("killed-0")
        try Attune.succeed("init", "--corpus", corpus)
        var sealed: Set<String> = []
        while kills < wanted {
            let command = try Attune.start(arguments(corpus))
            moments.wait()
            command.send(SIGKILL)
            let end = try command.wait()
            moments.take(wasKilled: end.wasKilled)
            if end.wasKilled { kills += 1 } else { #expect(end.status == 0, "\(end.errors)") }
            let now = try shards(corpus)
            #expect(sealed.isSubset(of: now), "a sealed shard is gone")
            #expect(now.isSubset(of: expected), "a shard that an uninterrupted run does not make")
            sealed = now
            if now == expected {
                // Done early: check it and kill a fresh one.
                try check(corpus, expected)
                corpus = scratch.path("killed-\(kills)-\(UUID().uuidString)")
                try Attune.succeed("init", "--corpus", corpus)
                sealed = []
            }
        }
        let last = try Attune.start(arguments(corpus)).wait()
        #expect(last.status == 0, "\(last.errors)")
        try check(corpus, expected)
    }

    private func check(_ corpus: String, _ expected: Set<String>) throws {
        #expect(try shards(corpus) == expected)
        let verify = try Attune.run("verify", "--corpus", corpus)
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
        #expect(try Query.count(corpus) == 12)
    }

    private func shards(_ corpus: String) throws -> Set<String> {
        let root = URL(fileURLWithPath: corpus).appendingPathComponent("shards")
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return Set(names.filter { $0.hasSuffix(".h5") })
    }
}
