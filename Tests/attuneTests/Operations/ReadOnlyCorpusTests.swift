import Foundation
import TestSupport
import Testing

/// A corpus that may only be read is read; what would change it is refused in one line, before any work.
@Suite struct ReadOnlyCorpusTests {
    /// What the catalogue of the corpus is like.
    enum State: CaseIterable { case current, missing, behind }

    private let corpus: SmallCorpus
    private let cache: String

    init() throws {
        corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        cache = corpus.scratch.path("cache")
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: cache)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: corpus.scratch.url.path)
    }

    private func bring(to state: State) throws {
        let files = FileManager.default
        let catalogue = corpus.path + "/catalog.sqlite"
        switch state {
        case .current: break
        case .missing:
            for suffix in ["", "-wal", "-shm"] { try? files.removeItem(atPath: catalogue + suffix) }
        case .behind:
            // The catalogue of before two more images were made.
            _ = try Attune.run("query", "--corpus", corpus.path)
            try files.copyItem(atPath: corpus.path, toPath: corpus.scratch.path("before"))
            #expect(try corpus.generate("--images-per-prompt", "4").status == 0)
            for suffix in ["", "-wal", "-shm"] {
                try? files.removeItem(atPath: catalogue + suffix)
                try? files.copyItem(
                    atPath: corpus.scratch.path("before/catalog.sqlite") + suffix, toPath: catalogue + suffix)
            }
        }
    }

    private static let situations: [(Shell.ReadOnly, State)] = [
        (.mount, .current), (.mount, .missing), (.mount, .behind), (.otherUser, .current), (.otherUser, .missing),
    ].filter { $0.0.isPossible }

    @Test(arguments: situations.indices) func everyReadingCommandWorks(place: Int) throws {
        let (way, state) = Self.situations[place]
        try bring(to: state)
        let samples = state == .behind ? 8 : 6
        func run(_ arguments: [String]) throws -> Outcome {
            let script = "cd / && XDG_CACHE_HOME=\(Shell.quoted(cache)) \(Shell.attune(arguments))"
            return try Shell.run(way.around(script, folder: corpus.path))
        }
        func read(_ arguments: String...) throws -> String {
            let outcome = try run([arguments[0], "--corpus", corpus.path] + arguments.dropFirst())
            #expect(outcome.status == 0 && outcome.failures.isEmpty, "\(arguments): \(outcome.errors)")
            return outcome.output
        }
        let found = try JSONDecoder().decode([Query].self, from: Data(try read("query", "--json").utf8))
        #expect(found.count == samples)
        #expect(try read("info").contains("\(samples) of 2 prompts"))
        #expect(try read("selections").contains("best"))
        #expect(try read("show", "best").contains("2 samples"))
        #expect(try read("verify").hasPrefix("OK:"))
        _ = try read("diff", "best", "best")
        _ = try read("annotations")
        _ = try read("export", "best", "--format", "imagefolder", "--to", corpus.scratch.path("images"))
        _ = try read("report", "--selection", "best", "--to", corpus.scratch.path("report"))
        _ = try read("push", "best", "oci:" + corpus.scratch.path("layout") + ":v1")

        let refused = [
            ["select", "again"], ["pack"], ["gc"], ["reindex"],
            [
                "generate", "--model", Attune.model, "--prompts", corpus.prompts, "--images-per-prompt", "9",
            ], ["train", "best", "--model", Attune.model, "--run", "r"],
        ]
        for arguments in refused {
            let outcome = try run([arguments[0], "--corpus", corpus.path] + arguments.dropFirst())
            #expect(outcome.status == 1, "\(arguments): \(outcome.errors)")
            #expect(outcome.failures.count == 1 && outcome.errors.contains("may only be read"), "\(outcome.errors)")
            #expect(!outcome.errors.contains("delete"), "\(outcome.errors)")
        }
    }

    @Test(.enabled(if: Shell.ReadOnly.mount.isPossible)) func anotherCorpusTakesItsSamples() throws {
        let other = corpus.scratch.path("other")
        try Attune.succeed("init", "--corpus", other)
        let script = Shell.attune(["import", "--corpus", other, "--format", "shard", corpus.path])
        let outcome = try Shell.run(Shell.ReadOnly.mount.around(script, folder: corpus.path))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Query.count(other) == 6)
    }

    /// A catalogue that another user has made: its owner's colleague may write to the corpus all the same.
    @Test(.enabled(if: Shell.ReadOnly.otherUser.isPossible)) func aCatalogueOfAnotherUserStopsNobody() throws {
        let script = Shell.attune([
            "generate", "--corpus", corpus.path, "--model", Attune.model, "--prompts", corpus.prompts,
            "--images-per-prompt", "4", "--steps", "3", "--batch", "3",
        ])
        let outcome = try Shell.run(
            """
            chmod -R a+rwX \(Shell.quoted(corpus.path)) && chmod 644 \(Shell.quoted(corpus.path))/catalog.sqlite* &&
            setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_CACHE_HOME=\(Shell.quoted(cache)) \(script)
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Query.count(corpus.path) == 8)
    }
}
