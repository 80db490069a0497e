import Foundation
import TestSupport
import Testing

/// Numbers that make no sense are a wrong command line, status 64, whatever the command.
@Suite struct AbsurdNumberTests {
    private static let huge = ["4611686018427387904", "9223372036854775807", "-9223372036854775808", "-1", "0"]
    private static let tooLarge = ["4611686018427387904", "9223372036854775807", "9223372036854775808", "1e9"]
    private static let notANumber = ["nan", "-nan", "inf", "-inf", "infinity", "1e400", "-1"]

    private static let commands: [String: [String]] = [
        "generate": ["generate", "--corpus", "c", "--model", "m", "--prompts", "p"],
        "sample": ["sample", "--model", "m", "--prompts", "p", "--to", "d"],
        "score": ["score", "--corpus", "c", "--model", "m"],
        "import": ["import", "--corpus", "c", "p", "--format", "kohya"],
        "train": ["train", "--corpus", "c", "s", "--model", "m", "--run", "r"],
        "export": ["export", "--corpus", "c", "s", "--format", "kohya", "--to", "d"],
        "report": ["report", "--corpus", "c", "--selection", "s", "--to", "d"],
        "query": ["query", "--corpus", "c"], "select": ["select", "--corpus", "c", "s"],
        "pack": ["pack", "--corpus", "c"], "gc": ["gc", "--corpus", "c"], "verify": ["verify", "--corpus", "c"],
        "doctor": ["doctor"],
    ]

    private static let cases: [(command: String, option: String, values: [String])] = {
        let counts: [(String, [String])] = [
            ("generate", ["--images-per-prompt", "--steps", "--batch", "--threads", "--width", "--height"]),
            ("sample", ["--images-per-prompt", "--steps", "--batch"]), ("score", ["--draws", "--steps", "--batch"]),
            ("import", ["--batch", "--size", "--max-pixels"]),
            ("train", ["--steps", "--batch", "--accumulate", "--rank", "--checkpoint-every", "--keep-checkpoints"]),
            ("export", ["--samples-per-file", "--bytes-per-file", "--repeats"]),
            ("report", ["--prompts", "--columns"]),
            ("query", ["--top"]), ("select", ["--top"]), ("doctor", ["--threads"]),
        ]
        var cases: [(String, String, [String])] = counts.flatMap { command, options in
            options.map { (command, $0, huge) }
        }
        cases += [
            ("sample", "--clip-skip", tooLarge + ["-1"]), ("train", "--evaluate", tooLarge + ["-1"]),
            ("train", "--lr", notANumber + ["0"]),
            ("train", "--alpha", notANumber + ["0"]), ("generate", "--guidance", notANumber),
            ("sample", "--guidance", notANumber), ("generate", "--seed", ["-1", "18446744073709551616", "nan"]),
            ("generate", "--part", ["0/0", "2/1", "-1/3", "1/nan", "9223372036854775808/1"]),
            ("pack", "--size", ["0", "-1", "9223372036854775807GiB", "nan"]),
            ("generate", "--keep-best", huge), ("generate", "--after", ["0", "-1", "101%", "nan"]),
            ("gc", "--grace", ["-1d", "nan", "infd", "1e300d"]), ("verify", "--since", ["1e300d", "nan"]),
            ("verify", "--sample", ["0", "-5%", "nan", "101%", "inf%"]),
        ]
        return cases
    }()

    @Test(arguments: cases.indices) func areStatus64(place: Int) throws {
        let (command, option, values) = Self.cases[place]
        let arguments = try #require(Self.commands[command])
        for value in values {
            let outcome = try Attune.start(arguments + ["\(option)=\(value)"]).wait()
            #expect(outcome.status == 64 && !outcome.wasKilled, "\(command) \(option) \(value): \(outcome.errors)")
            #expect(!outcome.errors.isEmpty)
        }
    }

    @Test func aProductThatOverflows() throws {
        let step = try Attune.run(
            "train", "--corpus", "c", "s", "--model", "m", "--run", "r", "--batch", "60000", "--accumulate", "1000000")
        #expect(step.status == 64, "\(step.errors)")
        let corpus = try SmallCorpus()
        let lines = (0..<101).map { "a prompt of number \($0)" }.joined(separator: "\n")
        let prompts = try corpus.scratch.file("many.txt", lines)
        let many = try corpus.generate("--prompts", prompts, "--images-per-prompt", "1000000")
        #expect(many.status == 64, "\(many.errors)")
    }

    @Test func aThreadCountOfTheEnvironment() throws {
        for value in ["0", "-1", "x", "99999999999999999999", "nan"] {
            let outcome = try Attune.run("doctor", environment: ["ATTUNE_THREADS": value])
            #expect(outcome.status == 64 && outcome.errors.contains("ATTUNE_THREADS"), "\(outcome.errors)")
        }
    }
}
