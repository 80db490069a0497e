import Foundation
import Testing

/// Runs that resume: after their selection's name was given to another, and on another processor; and threads.
@Suite struct ResumeTests {
    private let corpus: SmallCorpus

    init() throws {
        corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
    }

    private func train(
        _ run: String, steps: Int, _ more: [String] = [], environment: [String: String] = [:]
    ) throws -> Outcome {
        try Attune.start(
            [
                "train", "--corpus", corpus.path, "best", "--model", Attune.model, "--run", run, "--rank", "2",
                "--batch",
                "1", "--accumulate", "1", "--lr", "1e-2", "--steps", "\(steps)",
            ] + more, environment: environment
        ).wait()
    }

    private func adapter(_ run: String) throws -> Data {
        try Data(
            contentsOf: URL(fileURLWithPath: "\(corpus.path)/runs/\(run)/adapter/pytorch_lora_weights.safetensors"))
    }

    private func log(_ run: String, _ event: String) throws -> [[String: Any]] {
        try Data(contentsOf: URL(fileURLWithPath: "\(corpus.path)/runs/\(run)/log.jsonl"))
            .split(separator: UInt8(ascii: "\n"))
            .compactMap { try JSONSerialization.jsonObject(with: $0) as? [String: Any] }
            .filter { $0["event"] as? String == event }
    }

    @Test func aFollowedPolicyIsThatOfTheRun() throws {
        let whole = try train("whole", steps: 6, ["--follow"])
        try #require(whole.status == 0, "\(whole.errors)")
        let begun = try train("cut", steps: 3, ["--follow"])
        try #require(begun.status == 0, "\(begun.errors)")
        try Attune.succeed("select", "--corpus", corpus.path, "best", "--top", "2", "--where", "seed > 42")
        let resumed = try train("cut", steps: 6, ["--follow"])
        try #require(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.errors.contains("another policy"), "\(resumed.errors)")
        #expect(try adapter("cut") == adapter("whole"))
        #expect(try log("cut", "resolution").compactMap { $0["count"] as? Int } == [2, 2, 2])
        #expect(
            try log("cut", "resolution").compactMap { $0["selection"] as? String }
                == log("whole", "resolution").compactMap { $0["selection"] as? String })
        // A run that does not follow is bound to its samples.
        #expect(try train("fixed", steps: 1).status == 0)
        try Attune.succeed("select", "--corpus", corpus.path, "best", "--top", "1")
        let refused = try train("fixed", steps: 2)
        #expect(refused.status == 1 && refused.errors.contains("selection digest"), "\(refused.errors)")
    }

    /// OpenBLAS's kernels are chosen by the processor; the environment makes it another one.
    @Test(.enabled(if: isX86)) func anotherProcessorIsRefusedOrNoted() throws {
        let other = ["OPENBLAS_CORETYPE": "Nehalem"]
        let begun = try train("r", steps: 1, environment: other)
        try #require(begun.status == 0, "\(begun.errors)")
        let first = try #require(try log("r", "run").first?["computer"] as? [String: String])
        #expect(first["blas"]?.contains("Nehalem") == true && first["vectors"] != nil && first["products"] != nil)
        #expect(first["attune"] == (try Attune.succeed("--version")).trimmingCharacters(in: .whitespacesAndNewlines))

        let refused = try train("r", steps: 2)
        #expect(refused.status == 1 && refused.failures.count == 1, "\(refused.errors)")
        #expect(refused.errors.contains("Nehalem") && refused.errors.contains("--allow-other-cpu"), "\(refused.errors)")
        #expect(try log("r", "resumed").isEmpty)
        #expect(try train("r", steps: 2, environment: other).status == 0)

        let allowed = try train("r", steps: 3, ["--allow-other-cpu"])
        #expect(allowed.status == 0 && allowed.errors.contains("last bits"), "\(allowed.errors)")
        let computers = try log("r", "resumed").compactMap { ($0["computer"] as? [String: String])?["blas"] }
        #expect(computers.count == 2 && computers[0].contains("Nehalem") && !computers[1].contains("Nehalem"))
        // From here on it belongs to this one.
        #expect(try train("r", steps: 4).status == 0)
    }

    @Test func aLogWithoutTheProcessorIsContinued() throws {
        #expect(try train("old", steps: 1).status == 0)
        let folder = URL(fileURLWithPath: "\(corpus.path)/runs/old")
        let log = folder.appendingPathComponent("log.jsonl")
        // As older versions wrote it, without checksums.
        let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n").map { line in
            var entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            entry["computer"] = nil
            entry["sum"] = nil
            return String(decoding: try JSONSerialization.data(withJSONObject: entry), as: UTF8.self)
        }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: log)
        #expect(try train("old", steps: 2).status == 0)
    }

    @Test func threadsChangeNoByte() throws {
        for threads in [1, 2, 3, 8] {
            let outcome = try train("t\(threads)", steps: 3, ["--threads", "\(threads)", "--batch", "2"])
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        let environment = try train("t5", steps: 3, ["--batch", "2"], environment: ["ATTUNE_THREADS": "5"])
        try #require(environment.status == 0, "\(environment.errors)")
        let first = try adapter("t1")
        for threads in [2, 3, 5, 8] { #expect(try adapter("t\(threads)") == first, "\(threads) threads") }
    }

    private static var isX86: Bool {
        #if arch(x86_64)
            true
        #else
            false
        #endif
    }
}
