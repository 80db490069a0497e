import Foundation
import TestSupport
import Testing

/// `attune train` with each loss, and what it says where a loss cannot be had.
@Suite struct TrainLossTests {
    private let corpus: SmallCorpus

    init() throws {
        corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "pool", "--by", "mi", "--all")
    }

    private func train(_ run: String, _ more: String...) throws -> Outcome {
        try Attune.start(
            [
                "train", "--corpus", corpus.path, "pool", "--model", Attune.model, "--run", run, "--steps", "2",
                "--batch", "2", "--accumulate", "1",
            ] + more
        ).wait()
    }

    @Test func everyLossTrains() throws {
        let file = try corpus.scratch.file(
            "near.jsonl",
            #"{"prompt": "a red circle", "negatives": ["a blue circle", "a red star"]}"# + "\n\n"
                + #"{"prompt": "a star and a cross", "negatives": ["a star"]}"#)
        let losses: [[String]] = [
            ["--loss", "denoise", "--min-snr", "5", "--drop-captions", "0.1", "--timesteps", "200-999"],
            ["--weight-by", "mi", "--lr-schedule", "cosine", "--warmup", "1", "--ema", "0.9"],
            ["--loss", "contrast", "--negatives", file], ["--loss", "dpo", "--pairs-by", "mi"],
            ["--loss", "nft", "--reward-by", "mi", "--beta", "0.5"],
            [
                "--loss", "nft", "--reward-by", "mi", "--policy-decay", "0.999", "--policy-rise", "0.0075",
                "--policy-flat", "1",
            ],
        ]
        for (index, options) in losses.enumerated() {
            let outcome = try Attune.start(
                [
                    "train", "--corpus", corpus.path, "pool", "--model", Attune.model, "--run", "r\(index)", "--steps",
                    "2", "--batch", "2", "--accumulate", "1", "--rank", "2",
                ] + options
            ).wait()
            #expect(outcome.status == 0, "\(options): \(outcome.errors)")
        }
    }

    @Test func allWeightsGiveAModelThatGenerates() throws {
        let outcome = try train(
            "whole", "--targets", "all", "--lr", "1e-4", "--validate-prompts", corpus.prompts,
            "--validate-steps", "2", "--tensorboard")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let run = corpus.path + "/runs/whole"
        #expect(outcome.output.contains("\(run)/model"))
        try Attune.succeed(
            "sample", "--model", run + "/model", "--prompts", corpus.prompts, "--steps", "2", "--to",
            corpus.scratch.path("images"))
        try Attune.succeed("verify", "--corpus", corpus.path)
        #expect(FileManager.default.fileExists(atPath: run + "/validation/2/0001-42.png"))
    }

    @Test(
        arguments: [
            (["--margin", "1"], 64, "--margin belongs to --loss dpo"),
            (["--loss", "nft"], 64, "name one with --reward-by"),
            (["--loss", "dpo"], 64, "name one with --pairs-by"),
            (["--loss", "weighted"], 64, "name one with --weight-by"),
            (["--loss", "contrast"], 1, "--negatives"),
            (["--loss", "dpo", "--pairs-by", "nobody"], 1, "no scorer 'nobody'"),
            (["--loss", "dpo", "--pairs-by", "mi", "--margin", "1e9"], 1, "lower --margin"),
            (["--loss", "nft", "--reward-by", "mi", "--rewards", "none"], 1, "a reward lies in 0…1"),
            (["--loss", "nft", "--reward-by", "mi", "--min-snr", "5"], 64, "min-snr weighs the denoising error"),
            (["--timesteps", "5-2000"], 1, "timesteps from 0 to 999"),
            (["--timesteps", "9-3"], 64, "--timesteps"),
            (["--policy-decay", "0.5"], 64, "--policy-decay belongs to --loss nft"),
            (["--loss", "nft", "--reward-by", "mi", "--policy-rise", "0.1"], 64, "go with --policy-decay"),
            (["--loss", "nft", "--reward-by", "mi", "--policy-decay", "1"], 64, "policy-decay is 1.0"),
            (
                ["--loss", "nft", "--reward-by", "mi", "--policy-decay", "0.5", "--policy-every", "0"], 64,
                "policy-every is 0"
            ),
            (["--ema", "1"], 64, "ema is 1.0"),
            (["--drop-captions", "2"], 64, "drop-captions is 2.0"),
            (["--targets", "all", "--rank", "4"], 64, "--targets all trains no adapter"),
        ] as [([String], Int32, String)])
    func whatCannotBeIsToldInOneLine(options: [String], status: Int32, text: String) throws {
        let outcome = try Attune.start(
            [
                "train", "--corpus", corpus.path, "pool", "--model", Attune.model, "--run", "bad", "--steps", "1",
                "--batch", "2", "--accumulate", "1",
            ] + options
        ).wait()
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(text), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: corpus.path + "/runs/bad"))
    }

    @Test(.enabled(if: Programs.hasJSONSchema, "a Python with jsonschema is needed: make setup-python"))
    func logsFitTheirSchema() throws {
        for steps in ["2", "3"] {
            let outcome = try Attune.start(
                [
                    "train", "--corpus", corpus.path, "pool", "--model", Attune.model, "--run", "log", "--steps", steps,
                    "--batch", "2", "--accumulate", "1", "--rank", "2", "--evaluate", "2", "--validate-prompts",
                    corpus.prompts, "--validate-steps", "1", "--loss", "nft", "--reward-by", "mi", "--ema", "0.9",
                    "--policy-decay", "0.5",
                    "--timesteps", "0-999", "--warmup", "1", "--drop-captions", "0.1", "--validate-every", "1",
                    "--checkpoint-every", "1",
                ]
            ).wait()
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        _ = try train("whole", "--targets", "all")
        var (arguments, events): ([String], Set<Substring>) = ([], [])
        for run in ["log", "whole"] {
            let log = try String(contentsOfFile: corpus.path + "/runs/\(run)/log.jsonl", encoding: .utf8)
            for (index, line) in log.split(separator: "\n").enumerated() {
                arguments.append("run-log=" + (try corpus.scratch.file("\(run)-\(index).json", String(line))))
                if let event = line.split(separator: "\"event\":\"").last?.split(separator: "\"").first {
                    events.insert(event)
                }
            }
        }
        #expect(
            events == ["run", "resolution", "step", "evaluation", "validation", "checkpoint", "resumed", "finished"])
        let script = Repository.root.appending(path: "Tests/Interop/check_documents.py").path
        let checked = try Programs.run(try #require(Programs.python), [script] + arguments)
        #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
    }

    @Test func aLineThatIsNoNearMissIsNamed() throws {
        let file = try corpus.scratch.file("near.jsonl", #"{"prompt": "a", "negatives": []}"# + "\n[1]\n")
        let outcome = try train("bad", "--loss", "contrast", "--negatives", file)
        #expect(outcome.status == 1 && outcome.errors.contains("near.jsonl: line 2"), "\(outcome.errors)")
    }

    @Test func aRunOfAnotherLossIsRefused() throws {
        #expect(try train("r", "--rank", "2").status == 0)
        let outcome = try train("r", "--rank", "2", "--loss", "nft", "--reward-by", "mi")
        #expect(outcome.status == 1 && outcome.errors.contains("loss was denoise, now nft"), "\(outcome.errors)")
    }
}
