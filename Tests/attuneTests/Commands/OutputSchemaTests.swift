import Foundation
import TestSupport
import Testing

/// What commands print with --json, checked against schemas/output.
@Suite(.enabled(if: Programs.hasJSONSchema, "a Python with jsonschema is needed: make setup-python"))
struct OutputSchemaTests {
    /// The schema of each command that takes --json.
    private static let schemas = [
        "init": "output/init", "generate": "output/work", "missing": "output/missing", "import": "output/import",
        "score": "output/work", "annotate": "output/annotate", "annotations": "output/annotations",
        "query": "output/query", "select": "output/select", "selections": "output/selections", "show": "output/show",
        "diff": "diff", "export": "output/export", "duplicates": "output/duplicates", "similar": "output/similar",
        "train": "output/train", "sample": "output/work", "align": "alignment", "evaluate": "evaluation",
        "quality": "output/quality", "features": "output/features", "report": "output/report",
        "prompts": "output/shapes-prompts", "render": "output/work", "push": "output/push", "pull": "output/pull",
        "info": "output/info", "verify": "output/verify", "pack": "output/pack", "gc": "output/gc",
        "reindex": "output/reindex", "doctor": "output/doctor",
    ]

    /// Every command prints JSON but those that print no facts.
    @Test func everyCommandThatPrintsFactsHasASchema() throws {
        struct Help: Decodable { let command: Command }
        struct Command: Decodable {
            let commandName: String
            let shouldDisplay: Bool?
            let subcommands: [Command]?
            let arguments: [Argument]?
        }
        struct Argument: Decodable {
            struct Name: Decodable { let name: String }
            let names: [Name]?
        }
        let text = try Attune.succeed("--experimental-dump-help")
        let root = try JSONDecoder().decode(Help.self, from: Data(text.utf8)).command
        func leaves(_ command: Command) -> [Command] {
            let own = (command.subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false }
            return own.isEmpty ? [command] : own.flatMap(leaves)
        }
        let commands = leaves(root)
        #expect(commands.count > 25)
        for command in commands {
            let hasJSON = command.arguments?.contains { $0.names?.contains { $0.name == "json" } ?? false } ?? false
            #expect(hasJSON == (command.commandName != "serve"), "\(command.commandName)")
            #expect((Self.schemas[command.commandName] != nil) == hasJSON, "\(command.commandName)")
        }
        for schema in Self.schemas.values {
            let file = Attune.repository.appending(path: "schemas/\(schema).schema.json")
            #expect(FileManager.default.fileExists(atPath: file.path), "\(schema)")
        }
    }

    /// What commands print, each in a file beside the name of its schema.
    private struct Documents {
        let scratch: Scratch
        private(set) var names: [String] = []

        init(_ scratch: Scratch) { self.scratch = scratch }

        mutating func run(_ command: [String], schema: String? = nil, status: Int32 = 0) throws {
            let outcome = try Attune.start(command + ["--json"]).wait()
            #expect(outcome.status == status, "\(command): \(outcome.errors)")
            let file = scratch.url("\(names.count)-\(command[0]).json")
            try Data(outcome.output.utf8).write(to: file)
            names.append("\(schema ?? schemas[command[0]] ?? "?")=\(file.path)")
        }

        func check() throws {
            let script = Repository.root.appending(path: "Tests/Interop/check_documents.py").path
            let checked = try Programs.run(try #require(Programs.python), [script] + names)
            #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
            #expect(checked.output.hasPrefix("\(names.count) documents, 0 wrong"), "\(checked.output)")
        }
    }

    @Test func outputFitsItsSchema() throws {
        let scratch = try Scratch()
        let corpus = scratch.url("corpus").path
        let prompts = try scratch.file("prompts.txt", "a red circle\na blue square\n")
        var documents = Documents(scratch)
        func run(_ command: [String], schema: String? = nil, status: Int32 = 0) throws {
            try documents.run(command, schema: schema, status: status)
        }
        let into = ["--corpus", corpus]
        let making = ["--model", Attune.model, "--prompts", prompts, "--images-per-prompt", "2", "--steps", "3"]
        try run(["init"] + into)
        try run(["missing"] + into + making, status: 75)
        try run(["generate"] + into + making + ["--tag", "t"])
        try run(["missing"] + into + making)
        try run(["score"] + into + ["--model", Attune.model, "--draws", "1", "--steps", "2"])
        try run(["query"] + into)
        try run(["select", "best"] + into + ["--by", "mi", "--top", "1", "--per", "prompt"])
        try run(["select", "parts"] + into + ["--split", "train=0.5,test=0.5"])
        let id = try #require(try Query.samples(corpus).first).id
        let scores = try scratch.file("scores.jsonl", #"{"id":"\#(id)","score":0.5}"# + "\n")
        try run(["annotate", scores, "--scorer", "people"] + into)
        try run(["annotate", scores, "--scorer", "people"] + into)
        let features = scratch.url("text.npz").path
        try run(["features", "--text", "--encoder", Attune.model, "--to", features] + into)
        try run(["annotate", features, "--vectors"] + into)
        for listing in [
            ["annotations"], ["selections"], ["show", "best"], ["info"], ["doctor"], ["verify"], ["reindex"],
        ] {
            try run(listing + into)
        }
        try run(["selections", "best"] + into, schema: "output/history")
        try run(["diff", "best", "parts-train"] + into)
        try run(["duplicates", "--threshold", "1"] + into)
        try run(["similar", id] + into)
        try run(["export", "best", "--format", "imagefolder", "--to", scratch.url("folder").path] + into)
        try run(["import", scratch.url("folder").path, "--format", "imagefolder"] + into)
        try run(["push", "best", "oci:\(scratch.url("layout").path):v1"] + into)
        try run(["init", "--corpus", scratch.url("other").path])
        try run(["pull", "theirs", "oci:\(scratch.url("layout").path):v1", "--corpus", scratch.url("other").path])
        try run(["pack"] + into)
        try run(["gc", "--dry-run"] + into)
        try run(["report", "--selection", "best", "--to", scratch.url("report.html").path] + into)
        try run(["sample"] + making + ["--to", scratch.url("sampled").path])
        try run(["shapes", "prompts", "--to", scratch.url("shapes").path], schema: "output/shapes-prompts")
        try run(
            [
                "train", "best", "--model", Attune.model, "--run", "r", "--rank", "2", "--alpha", "2", "--steps", "2",
                "--batch", "2", "--accumulate", "1", "--evaluate", "2",
            ] + into)
        try documents.check()
    }

    @Test func whatEvaluationsPrintFitsItsSchema() throws {
        let scratch = try Scratch()
        let prompts = try scratch.file("prompts.txt", "one red circle\none blue square\n")
        var documents = Documents(scratch)
        func succeed(_ command: [String]) throws {
            let outcome = try Attune.start(command).wait()
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        }
        let into = ["--corpus", scratch.url("corpus").path]
        try succeed(["init"] + into)
        let making = [
            "--model", Attune.model, "--prompts", prompts, "--images-per-prompt", "2", "--steps", "3", "--batch", "2",
        ]
        let rendered = scratch.url("rendered").path
        try documents.run(
            ["shapes", "render", "--prompts", prompts, "--per-prompt", "2", "--to", rendered], schema: "output/work")
        try succeed(["import", rendered, "--format", "imagefolder", "--tag", "real", "--model", Attune.model] + into)
        try documents.run(["evaluate", "--images", rendered], schema: "output/judged")
        try documents.run(["evaluate", "--part", "1/2"] + making + into, schema: "output/evaluation-share")
        try documents.run(
            ["evaluate", "--part", "2/2", "--referee", "shapes", "--reference", "tag = 'real'"] + making + into)
        try succeed(
            ["score", "--model", Attune.model, "--negatives", "rules", "--count", "2", "--steps", "3"] + into)
        // A referee that tells the images of a prompt apart.
        let samples = try Query.samples(into[1])
        let votes = Dictionary(grouping: samples, by: \.prompt).values.flatMap { ofPrompt in
            ofPrompt.enumerated().map { #"{"id":"\#($1.id)","score":\#($0 % 2)}"# }
        }
        try succeed(
            ["annotate", try scratch.file("votes.jsonl", votes.joined(separator: "\n")), "--scorer", "people"] + into)
        try documents.run(
            ["evaluate", "--where", "tag = 'evaluation'", "--referee", "people", "--plots", scratch.url("plots").path]
                + into,
            schema: "output/agreement")
        let features = ["a.npz", "b.npz"].map { scratch.url($0).path }
        for (file, tag) in zip(features, ["real", "evaluation"]) {
            try succeed(
                ["features", "--text", "--encoder", Attune.model, "--where", "tag = '\(tag)'", "--to", file] + into)
        }
        try documents.run(["quality", features[0], features[1], "--metrics", "fd"])
        let align = """
            {"rounds": 1, "model": "\(Attune.model)", "prompts": "prompts.txt",
             "candidates": {"images_per_prompt": 2, "steps": 3}, "score": {"referee": "shapes"}, "select": {"top": 1},
             "train": {"rank": 2, "alpha": 2, "steps": 1, "batch": 2},
             "evaluate": {"prompts": "prompts.txt", "images_per_prompt": 1, "guidance": [3], "steps": 3, "resamples": 50}}
            """
        try documents.run(["align", try scratch.file("align.json", align)] + into)
        try documents.check()
    }
}
