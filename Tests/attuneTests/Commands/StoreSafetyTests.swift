import Foundation
import TestSupport
import Testing

/// What the store promises, asked of the command as users ask it.
@Suite(.serialized) struct StoreSafetyTests {
    private let corpus: SmallCorpus

    init() throws { corpus = try SmallCorpus() }

    private func attune(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try Attune.start(arguments + ["--corpus", corpus.path], environment: environment).wait()
    }

    /// Puts a link that leads to itself in a file's place: it cannot be opened, by root either.
    private func hide(_ path: String) throws -> () throws -> Void {
        let files = FileManager.default
        try files.moveItem(atPath: path, toPath: path + ".hidden")
        try files.createSymbolicLink(atPath: path, withDestinationPath: path)
        return {
            try files.removeItem(atPath: path)
            try files.moveItem(atPath: path + ".hidden", toPath: path)
        }
    }

    @Test func shardsThatCannotBeReadAreNotLeftOutInSilence() throws {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: corpus.path + "/catalog.sqlite" + suffix)
        }
        let show = try hide(corpus.shards[0].path)
        let query = try attune("query")
        #expect(query.status == 0 && query.errors.contains("warning: 1 file or folder of the corpus cannot be read"))
        #expect(try attune("info").errors.contains("warning: "))
        for command in [["select", "s", "--all"], ["gc"], ["pack"]] {
            let outcome = try Attune.start(command + ["--corpus", corpus.path]).wait()
            #expect(
                outcome.status == 1 && outcome.failures.count == 1, "\(command): \(outcome.output)\(outcome.errors)")
            #expect(outcome.errors.contains(corpus.shards[0].lastPathComponent), "\(outcome.errors)")
        }
        #expect(try corpus.generate().status == 1)
        #expect(try attune("verify").status == 2)
        try show()
        #expect(try attune("query").errors.isEmpty && Query.count(corpus.path) == 6)
        #expect(try attune("verify").status == 0)
    }

    @Test func aRunThatCannotBeReadStopsGc() throws {
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let runs = corpus.path + "/runs/r"
        try FileManager.default.createDirectory(atPath: runs, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: runs + "/log.jsonl", withDestinationPath: runs + "/log.jsonl")
        let outcome = try attune("gc", "--keep-none", "--grace", "0")
        #expect(outcome.status == 1 && outcome.errors.contains(runs + "/log.jsonl"), "\(outcome.errors)")
        #expect(try attune("verify").status == 2)
        #expect(try Query.count(corpus.path) == 6)
    }

    @Test(arguments: ["attune.json", "shards"]) func whatMayNotBeReadIsNamed(name: String) throws {
        let show = try hide(corpus.path + "/" + name)
        let outcome = try attune("select", "s")
        #expect(outcome.status == 1 && outcome.errors.contains("\(corpus.path)/\(name): "), "\(outcome.errors)")
        #expect(!outcome.errors.contains("is not a corpus"))
        try show()
    }

    @Test func emptyFoldersThatACopyLostAreMadeAgain() throws {
        for name in ["tmp", "runs", "selections"] {
            try? FileManager.default.removeItem(atPath: "\(corpus.path)/\(name)")
        }
        let outcome = try corpus.generate("--seed", "900")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try attune("select", "best").status == 0 && attune("verify").status == 0)
    }

    @Test func aFreshVolumeIsEmpty() throws {
        let volume = corpus.scratch.path("volume")
        for name in ["lost+found", ".snapshot"] {
            try FileManager.default.createDirectory(atPath: "\(volume)/\(name)", withIntermediateDirectories: true)
        }
        try Attune.succeed("init", "--corpus", volume)
        #expect(try Attune.run("init", "--corpus", volume).errors.contains("is not empty"))
    }

    @Test func eachKeepConditionIsOneOfItsOwn() throws {
        let all = try attune("gc", "--dry-run", "--grace", "0", "--keep", "seed >= 0 -- all", "--keep", "mi > 1e9")
        #expect(all.status == 0 && all.output.contains("0 samples"), "\(all.output)\(all.errors)")
        let broken = try attune("gc", "--grace", "0", "--keep", "mi > 1000) --", "--keep", "seed >= 0")
        #expect(broken.status == 1 && broken.failures.count == 1)
        #expect(try Query.count(corpus.path) == 6)
    }

    @Test func promptsOfAnotherEncodingAreRefusedByLine() throws {
        let file = corpus.scratch.path("nul.txt")
        try Data("a red circle\na red circle\0 and a blue star\n".utf8).write(to: URL(fileURLWithPath: file))
        let outcome = try corpus.generate("--prompts", file)
        #expect(outcome.status == 1 && outcome.errors.contains("line 2"), "\(outcome.errors)")
        try "a star\n".data(using: .utf16LittleEndian)?.write(to: URL(fileURLWithPath: file))
        let wide = try corpus.generate("--prompts", file)
        #expect(wide.status == 1 && wide.errors.contains("UTF-8"), "\(wide.errors)")
    }

    private static let unshare = URL(fileURLWithPath: "/usr/bin/unshare")
    private static let elsewhere = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    private static let hasNameSpaces = (try? RunningCommand(unshare, elsewhere + ["true"]).wait())?.status == 0

    /// The maker of a file in tmp/ and the holder of a lease live in another name space of processes.
    @Test(.enabled(if: hasNameSpaces, "this machine makes no name spaces"))
    func aContainerDoesNotSweepItsNeighbors() throws {
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let train = try Attune.start([
            "train", "--corpus", corpus.path, "best", "--run", "r", "--rank", "4", "--steps", "100000", "--batch", "2",
            "--accumulate", "1", "--model", Attune.model,
        ])
        let leases = corpus.path + "/leases"
        let deadline = Date(timeIntervalSinceNow: 60)
        func held() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: leases)) ?? []) }
        while held().isEmpty, train.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.05) }
        let before = held()
        let gc = try RunningCommand(
            Self.unshare,
            Self.elsewhere + [Attune.binary.path, "gc", "--corpus", corpus.path, "--keep-none", "--grace", "0"]
        ).wait()
        #expect(gc.status == 0, "\(gc.errors)")
        #expect(before.count == 1 && held() == before)
        train.send(SIGKILL)
        _ = try train.wait()
        // Dead, it is seen as dead from everywhere.
        _ = try RunningCommand(
            Self.unshare, Self.elsewhere + [Attune.binary.path, "gc", "--corpus", corpus.path, "--dry-run"]
        ).wait()
        #expect(held() == before)
        _ = try attune("gc")
        #expect(held().isEmpty)
    }
}
