import CorpusStore
import Foundation
import TestSupport
import Testing

/// Every command is killed, and made to fail, where it touches the disk. The corpus then verifies, nothing of tmp/ is
/// left, and the same command ends in the state that an undisturbed one reaches.
///
/// `make test` takes every few points, beginning anywhere; ATTUNE_LONG=1 takes all of them. ATTUNE_CASES names the
/// commands to take (`pack,gc`), for whoever has changed one.
@Suite(.serialized) struct FaultMatrixTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A command and the corpus that it works on.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        /// After the corpus.
        let arguments: [String]
        /// How many points `make test` takes.
        let points: Int

        var testDescription: String { name }

        /// Whether it makes a place that must not be there yet, so that it does not run again once that is whole.
        var isOnce: Bool { name == "init" || isExport }
        var isExport: Bool { arguments[0] == "export" }
    }

    private static let prompts = "a red circle\na star and a cross\n"
    private static let train = [
        "train", "best", "--run", "r", "--rank", "4", "--steps", "2", "--batch", "2", "--accumulate", "1",
        "--checkpoint-every", "1", "--model", Attune.model,
    ]
    private static let score = ["score", "--model", Attune.model, "--steps", "2", "--draws", "1", "--batch", "2"]

    static let cases: [Case] = {
        let chosen = ProcessInfo.processInfo.environment["ATTUNE_CASES"]?.split(separator: ",").map(String.init)
        return all.filter { chosen?.contains($0.name) ?? true }
    }()

    private static let all = [
        Case(name: "init", arguments: ["init"], points: 6),
        Case(name: "generate", arguments: ["generate"], points: 4),
        Case(name: "score", arguments: score, points: 4),
        Case(name: "train", arguments: train, points: 4),
        Case(name: "select", arguments: ["select", "best", "--top", "2"], points: 8),
        Case(name: "verify", arguments: ["verify"], points: 2),
        Case(name: "pack", arguments: ["pack"], points: 12),
        Case(name: "gc", arguments: ["gc", "--keep-none", "--grace", "0"], points: 12),
        Case(name: "reindex", arguments: ["reindex"], points: 4),
        Case(name: "pull", arguments: ["pull", "pulled"], points: 8),
        Case(name: "import", arguments: ["import", "--format", "imagefolder", "--batch", "2"], points: 6),
        Case(name: "annotate", arguments: ["annotate", "--scorer", "hps"], points: 6),
        Case(name: "export", arguments: ["export", "best", "--format", "imagefolder"], points: 6),
        Case(name: "export-tar", arguments: ["export", "best", "--format", "webdataset"], points: 4),
        Case(
            name: "export-shard", arguments: ["export", "best", "--format", "shard", "--samples-per-file", "2"],
            points: 4),
    ]

    @Test(arguments: cases) func killsLoseNothing(command: Case) throws {
        try disturb(command, "kill") { outcome, point in
            #expect(outcome.wasKilled, "point \(point): \(outcome.status) \(outcome.output)\(outcome.errors)")
        }
    }

    @Test(arguments: cases) func aFullDiskLosesNothing(command: Case) throws {
        try disturb(command, "full") { outcome, point in
            // What is only tidying up may fail quietly.
            guard outcome.status != 0 else { return }
            #expect(outcome.status == 1, "point \(point): \(outcome.output)\(outcome.errors)")
            #expect(outcome.failures.count == 1, "point \(point): \(outcome.errors)")
        }
    }

    @Test(.enabled(if: Attune.isLong, "make test-long runs it"), arguments: cases)
    func aFailedCallLosesNothing(command: Case) throws {
        try disturb(command, "fail") { outcome, point in
            #expect(outcome.failures.count <= 1, "point \(point): \(outcome.errors)")
        }
    }

    /// A folder that cannot be listed, a file that cannot be opened or examined: never "not there".
    @Test(
        arguments: cases.filter { ["verify", "gc", "pack", "reindex", "train", "pull", "select"].contains($0.name) },
        ["EIO", "EACCES"])
    func aFailedLookLosesAndHidesNothing(command: Case, code: String) throws {
        try disturb(command, code, points: .looks(2)) { outcome, point in
            #expect([0, 1, 2].contains(outcome.status), "point \(point): \(outcome.status) \(outcome.errors)")
            if command.name == "verify", outcome.status == 0 {
                #expect(outcome.output.hasPrefix("OK: 2 shards, 1 selection, 1 name, 0 runs"), "\(outcome.output)")
            }
        }
    }

    /// Where a command is disturbed: at the calls that change something, or at some of those that look.
    enum Points { case changes, looks(Int) }

    private func disturb(
        _ command: Case, _ action: String, points kind: Points = .changes,
        check: @escaping @Sendable (Outcome, Int) -> Void
    ) throws {
        if case .changes = kind, command.name == "verify" { return }
        let (scratch, template) = (scratch, try template(for: command))
        let whole = scratch.path("whole")
        try Self.copy(template, to: whole)
        let trace = scratch.path("trace")
        let undisturbed = try run(command, whole, fault: "trace:\(trace)")
        try #require(undisturbed.status == 0, "\(undisturbed.errors)")
        let expected = try Self.state(whole)
        let points = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            .count { line in
                let isLook = ["open ", "stat ", "readdir "].contains { line.hasPrefix($0) }
                switch kind {
                case .changes: return !isLook && !line.hasPrefix("read ")
                case .looks: return isLook
                }
            }
        let (name, wanted) =
            switch kind {
            case .changes: ("change", command.points)
            case .looks(let count): ("look", count)
            }
        try #require(points > 0)
        let step = Attune.isLong ? 1 : max(1, points / wanted)
        let chosen = Array(stride(from: 1 + Int.random(in: 0..<step), through: points, by: step))
        DispatchQueue.concurrentPerform(iterations: chosen.count) { index in
            let point = chosen[index]
            do {
                let corpus = scratch.path("at-\(point)")
                try Self.copy(template, to: corpus)
                check(try run(command, corpus, fault: "\(name):\(point):\(action)"), point)
                let isThere = Self.exists(corpus + "/attune.json")
                if isThere {
                    let verify = try Attune.start(["verify", "--corpus", corpus]).wait()
                    #expect(verify.status == 0, "\(command.name) at \(point): \(verify.output)\(verify.errors)")
                }
                if command.isOnce {
                    // What is there is whole.
                    let isMade = command.isExport ? Self.exists(Self.exported(corpus)) : isThere
                    if isMade { #expect(try Self.state(corpus) == expected, "\(command.name) at \(point)") }
                    #expect(try run(command, corpus).status == (isMade ? 1 : 0), "\(command.name) at \(point)")
                    #expect(try Self.state(corpus) == expected, "\(command.name) at \(point) ends elsewhere")
                    #expect(!Self.exists(scratch.path(".at-\(point).export.partial")))
                    return
                }
                let left = try FileManager.default.contentsOfDirectory(atPath: corpus + "/tmp")
                // What a pull has received is kept for the next one.
                #expect(command.name == "pull" || left.isEmpty, "\(command.name) at \(point): \(left)")
                let again = try run(command, corpus)
                #expect(again.status == 0, "\(command.name) at \(point), again: \(again.errors)")
                #expect(try Self.state(corpus) == expected, "\(command.name) at \(point) ends elsewhere")
                #expect(try FileManager.default.contentsOfDirectory(atPath: corpus + "/tmp").isEmpty)
                try FileManager.default.removeItem(atPath: corpus)
            } catch {
                Issue.record("\(command.name) at \(point): \(error)")
            }
        }
    }

    private func run(_ command: Case, _ corpus: String, fault: String? = nil) throws -> Outcome {
        var arguments = command.arguments + ["--corpus", corpus]
        if command.name == "generate" { arguments += try generation() }
        if command.isExport { arguments += ["--to", Self.exported(corpus)] }
        if command.name == "pull" { arguments.insert("oci:\(scratch.path("layout"))", at: 2) }
        if command.name == "import" { arguments.insert(scratch.path("images"), at: 1) }
        if command.name == "annotate" { arguments.insert(scratch.path("scores.jsonl"), at: 1) }
        return try Attune.start(arguments, environment: fault.map { ["ATTUNE_FAULT": $0] } ?? [:]).wait()
    }

    private func generation() throws -> [String] {
        [
            "--model", Attune.model, "--prompts", try scratch.file("prompts-\(UUID()).txt", Self.prompts),
            "--images-per-prompt", "2", "--steps", "2", "--batch", "2",
        ]
    }

    /// What the command is to work on: an empty corpus, or one with samples and a selection.
    private func template(for command: Case) throws -> String {
        let empty = scratch.path("empty")
        if command.name == "init" {
            try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
            return empty
        }
        try Attune.succeed("init", "--corpus", empty)
        if command.name == "generate" { return empty }
        let full = scratch.path("full")
        try Self.copy(empty, to: full)
        let made = try Attune.start(["generate", "--corpus", full] + generation()).wait()
        try #require(made.status == 0, "\(made.errors)")
        try Attune.succeed("select", "--corpus", full, "best")
        switch command.name {
        case "pull":
            try Attune.succeed("push", "--corpus", full, "best", "oci:\(scratch.path("layout"))")
            return empty
        case "import":
            try Attune.succeed(
                "export", "--corpus", full, "best", "--format", "imagefolder", "--to", scratch.path("images"))
            return empty
        case "annotate":
            let lines = try Query.samples(full).enumerated().map { "{\"id\":\"\($1.id)\",\"score\":\($0)}\n" }
            _ = try scratch.file("scores.jsonl", lines.joined())
            return full
        default: return full
        }
    }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Where a corpus is exported to.
    private static func exported(_ corpus: String) -> String { corpus + ".export" }

    private static func copy(_ from: String, to: String) throws {
        try FileManager.default.copyItem(atPath: from, toPath: to)
    }

    /// Everything whose bytes are promised, exports among it, and what the catalogue says.
    private static func state(_ corpus: String) throws -> [String: String] {
        var state: [String: String] = [:]
        func digest(_ path: String) throws -> String {
            Digest(of: try Data(contentsOf: URL(fileURLWithPath: path))).hex
        }
        func names(_ folder: String) -> [String] {
            FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        }
        for name in names(corpus) where ["shards/", "selections/", "runs/"].contains(where: { name.hasPrefix($0) }) {
            guard name.hasSuffix(".h5") || name.hasSuffix(".json") || name.hasSuffix(".safetensors") else { continue }
            state[name] = try digest("\(corpus)/\(name)")
        }
        for name in names(exported(corpus)) where name.contains(".") {
            state["exported \(name)"] = try digest("\(exported(corpus))/\(name)")
        }
        for sample in try Query.samples(corpus, ["--by", "id"]) {
            state["sample \(sample.id)"] = "\(sample.prompt) \(sample.seed) \(sample.mi ?? .nan)"
        }
        return state
    }
}
