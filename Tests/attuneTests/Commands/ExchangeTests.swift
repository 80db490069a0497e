import Foundation
import TestSupport
import Testing

/// What leaves Attune opens in the programs that it is for, and comes back.
@Suite struct ExchangeTests {
    /// What a foreign program saw of a sample.
    private struct Seen: Decodable {
        let id, text: String
        let mi: Double?
        let size: [Int]?
        let latent: Double?
        let prompt: [Int]?
    }

    private static let needsPython: Comment = "ATTUNE_PYTHON names no Python: make setup-python, make test"

    private func read(_ format: String, _ folder: String) throws -> [Seen] {
        let python = try #require(Attune.python)
        let script = Attune.repository.appendingPathComponent("Tests/Interop/read_exports.py").path
        let outcome = try RunningCommand(python, [script, format, folder]).wait()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode([Seen].self, from: Data(outcome.output.utf8))
    }

    private func export(
        _ corpus: SmallCorpus, _ format: String, selection: String = "all", _ more: String...
    ) throws -> String {
        let to = corpus.scratch.path(format)
        let outcome = try Attune.start(
            ["export", "--corpus", corpus.path, selection, "--format", format, "--to", to] + more
        ).wait()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return to
    }

    @Test(.enabled(if: Attune.python != nil, needsPython)) func exportsOpenInThePrograms() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "all", "--all")
        let samples = try Query.samples(corpus.path)
        let texts = Dictionary(uniqueKeysWithValues: samples.map { ($0.id, $0.prompt) })
        for format in ["imagefolder", "webdataset", "kohya", "shard", "latents"] {
            let folder = try export(corpus, format, "--model", Attune.model, "--samples-per-file", "4")
            let seen = try read(format, folder)
            #expect(Dictionary(uniqueKeysWithValues: seen.map { ($0.id, $0.text) }) == texts, "\(format)")
            for sample in seen {
                if let mi = sample.mi { #expect(samples.first { $0.id == sample.id }?.mi == mi, "\(format)") }
                if let size = sample.size { #expect(size == [64, 64]) }
                if let prompt = sample.prompt { #expect(prompt == [24, 128]) }
            }
            if format == "latents" { #expect(Set(seen.compactMap(\.latent)).count == samples.count) }
        }
    }

    @Test(arguments: ["imagefolder", "webdataset", "kohya"])
    func exportsComeBackAndAreScoredAndTrainedOn(format: String) throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "all", "--all")
        let folder = try export(corpus, format)
        let other = corpus.scratch.path("other")
        try Attune.succeed("init", "--corpus", other)
        let arguments = [
            "import", "--corpus", other, folder, "--format", format, "--model", Attune.model, "--tag", "real",
        ]
        let first = try Attune.start(arguments).wait()
        #expect(first.output.contains("6 samples imported, 0 already present"), "\(first.output)\(first.errors)")
        let again = try Attune.start(arguments).wait()
        #expect(again.output.contains("0 samples imported, 6 already present"), "\(again.output)\(again.errors)")
        guard format == "imagefolder" else { return }
        try Attune.succeed("score", "--corpus", other, "--model", Attune.model, "--draws", "1", "--steps", "4")
        #expect(try Query.samples(other).allSatisfy { $0.mi != nil })
        try Attune.succeed("select", "--corpus", other, "best", "--where", "tag = 'real'")
        try Attune.succeed(
            "train", "--corpus", other, "best", "--model", Attune.model, "--run", "r", "--rank", "2", "--steps", "1",
            "--batch", "2", "--accumulate", "1")
        #expect(try Attune.run("verify", "--corpus", other).status == 0)
    }

    @Test(.enabled(if: Attune.python != nil, needsPython)) func batchesWrittenByPythonComeIn() throws {
        let python = try #require(Attune.python)
        let scratch = try Scratch()
        let (corpus, batch) = (scratch.path("corpus"), scratch.path("batch.h5"))
        let script = Attune.repository.appendingPathComponent("examples/write_batch.py").path
        let written = try RunningCommand(python, [script, "--made-up", "4", "--to", batch]).wait()
        try #require(written.status == 0, "\(written.errors)")
        try Attune.succeed("init", "--corpus", corpus)
        #expect(
            try Attune.succeed("import", "--corpus", corpus, batch, "--format", "shard")
                .contains("4 samples imported, 0 already present"))
        #expect(
            try Attune.succeed("import", "--corpus", corpus, batch, "--format", "shard")
                .contains("0 samples imported, 4 already present"))
        #expect(try Query.samples(corpus, ["--by", "mi"]).map(\.seed) == [3, 2, 1, 0], "the traces became MI")
        // One value of one latent.
        let damage = """
            import h5py, hdf5plugin
            with h5py.File('\(batch)', 'r+') as f: f['latents/4x2x2'][1, 0, 0, 0] = 7
            """
        try #require(try RunningCommand(python, ["-c", damage]).wait().status == 0)
        let refused = try Attune.run("import", "--corpus", corpus, batch, "--format", "shard")
        #expect(refused.status == 1 && refused.failures.count == 1, "\(refused.errors)")
        #expect(refused.failures.first?.contains("batch.h5") == true, "\(refused.errors)")
        #expect(try Query.count(corpus) == 4)
    }

    @Test func aKilledImportLosesOneBatchAndAKilledExportGoesOn() throws {
        let scratch = try Scratch()
        let set = scratch.url.appendingPathComponent("set")
        try FileManager.default.createDirectory(at: set, withIntermediateDirectories: true)
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "all", "--all")
        let images = try FileManager.default.contentsOfDirectory(
            at: URL(fileURLWithPath: try export(corpus, "kohya") + "/10_all"), includingPropertiesForKeys: nil)
        let png = try Data(contentsOf: try #require(images.first { $0.pathExtension == "png" }))
        let count = 600
        for index in 0..<count {
            try png.write(to: set.appendingPathComponent("\(index).png"))
            try Data("no. \(index)".utf8).write(to: set.appendingPathComponent("\(index).txt"))
        }
        let other = scratch.path("other")
        try Attune.succeed("init", "--corpus", other)
        let arguments = ["import", "--corpus", other, set.path, "--format", "kohya", "--batch", "10"]
        for round in 1...4 {
            let command = try Attune.start(arguments)
            Thread.sleep(forTimeInterval: 0.08 * Double(round))
            command.send(SIGKILL)
            _ = try command.wait()
            #expect(try Attune.run("verify", "--corpus", other).status == 0)
            #expect(try Query.count(other) % 10 == 0, "whole batches only")
        }
        try #require(try Attune.start(arguments).wait().status == 0)
        #expect(try Query.count(other) == count)

        try Attune.succeed("select", "--corpus", other, "all", "--all")
        let (whole, to) = (scratch.path("whole"), scratch.path("out"))
        try Attune.succeed("export", "--corpus", other, "all", "--format", "imagefolder", "--to", whole)
        for round in 1...4 {
            let command = try Attune.start(["export", "--corpus", other, "all", "--format", "imagefolder", "--to", to])
            Thread.sleep(forTimeInterval: 0.03 * Double(round))
            command.send(SIGKILL)
            _ = try command.wait()
            if FileManager.default.fileExists(atPath: to) { break }
        }
        if !FileManager.default.fileExists(atPath: to) {
            try Attune.succeed("export", "--corpus", other, "all", "--format", "imagefolder", "--to", to)
        }
        #expect(FileManager.default.contentsEqual(atPath: whole, andPath: to))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).filter { $0.hasPrefix(".") }.isEmpty)
    }

    @Test func scoresFromElsewhereChooseAndWeigh() throws {
        let corpus = try SmallCorpus()
        let samples = try Query.samples(corpus.path, ["--by", "mi"])
        let lines = samples.enumerated().map { "\($0.element.id),\(Double($0.offset) / 10)" }.joined(separator: "\n")
        let file = try corpus.scratch.file("hps.csv", "id,score\n" + lines)
        #expect(
            try Attune.succeed("annotate", "--corpus", corpus.path, file, "--scorer", "hps_v2")
                .contains("6 samples scored by hps_v2, revision 1"))
        #expect(
            try Query.samples(corpus.path, ["hps_v2 >= 0.2", "--by", "hps_v2"]).map(\.id)
                == samples[2...].reversed().map(\.id))
        #expect(try Attune.succeed("annotations", "--corpus", corpus.path).contains("hps.csv"))
        #expect(
            try Attune.succeed(
                "query", "--corpus", corpus.path, "--by", "hps_v2", "--top", "1", "--columns", "id,hps_v2"
            )
            .contains("0.500"))

        // As T2I-CompBench leaves it: the place in the selection, the answer as text.
        try Attune.succeed("select", "--corpus", corpus.path, "best", "--by", "hps_v2")
        let result = try corpus.scratch.file(
            "vqa_result.json", "[{\"question_id\": 0, \"answer\": \"0.9\"}, {\"question_id\": 1, \"answer\": \"0.2\"}]")
        try Attune.succeed(
            "annotate", "--corpus", corpus.path, result, "--scorer", "blip_vqa", "--selection", "best")
        #expect(try Query.samples(corpus.path, ["blip_vqa > 0.5"]).count == 1)

        let folder = try export(corpus, "imagefolder", selection: "best")
        let metadata = try String(contentsOfFile: folder + "/train/metadata.jsonl", encoding: .utf8)
        #expect(metadata.contains("\"blip_vqa\":0.9"))

        let training = [
            "train", "--corpus", corpus.path, "best", "--model", Attune.model, "--rank", "2", "--steps", "1", "--batch",
            "2", "--accumulate", "1",
        ]
        func digest(_ more: [String]) throws -> String {
            let outcome = try Attune.start(training + more).wait()
            try #require(outcome.status == 0, "\(outcome.errors)")
            return outcome.output.split(separator: "\n").first { $0.hasPrefix("sha256") }.map(String.init) ?? ""
        }
        let plain = try digest(["--run", "plain"])
        let weighed = try digest(["--run", "weighed", "--weight-by", "blip_vqa"])
        #expect(plain != weighed)
        #expect(try digest(["--run", "again", "--weight-by", "blip_vqa"]) == weighed)

        // A run is bound to the scores that it began with.
        let changed = try corpus.scratch.file("changed.json", "[{\"question_id\": 0, \"answer\": \"0.1\"}]")
        try Attune.succeed(
            "annotate", "--corpus", corpus.path, changed, "--scorer", "blip_vqa", "--selection", "best")
        let refused = try Attune.start(training + ["--run", "weighed", "--weight-by", "blip_vqa"]).wait()
        #expect(refused.status == 1 && refused.failures.first?.contains("weight-by") == true, "\(refused.errors)")
        let unknown = try Attune.start(training + ["--run", "u", "--weight-by", "nobody"]).wait()
        #expect(unknown.status == 1 && unknown.failures.first?.contains("nobody") == true, "\(unknown.errors)")

        let before = try Query.samples(corpus.path, ["--by", "blip_vqa"]).map(\.id)
        try Attune.succeed("reindex", "--corpus", corpus.path)
        #expect(try Query.samples(corpus.path, ["--by", "blip_vqa"]).map(\.id) == before)
        #expect(try Attune.run("verify", "--corpus", corpus.path).status == 0)
    }

    @Test func badInputIsOneLine() throws {
        let corpus = try SmallCorpus()
        let broken = try corpus.scratch.file("broken.jsonl", "x")
        let stranger = try corpus.scratch.file("s.csv", "id,score\n\(String(repeating: "ab", count: 32)),1")
        let cases: [(String, [String])] = [
            ("broken.jsonl", ["import", broken, "--format", "webdataset"]),
            ("/nowhere", ["import", "/nowhere", "--format", "imagefolder"]),
            ("/nowhere", ["import", "/nowhere", "--format", "kohya", "--model", "/nowhere/model"]),
            ("/nowhere.h5", ["import", "/nowhere.h5", "--format", "shard"]),
            ("broken.jsonl", ["annotate", broken, "--scorer", "hps"]),
            ("unknown.csv", ["annotate", "/nowhere/unknown.csv", "--scorer", "hps"]),
            (String(repeating: "ab", count: 32), ["annotate", stranger, "--scorer", "hps"]),
        ]
        for (name, arguments) in cases {
            let outcome = try Attune.start(arguments + ["--corpus", corpus.path]).wait()
            #expect(outcome.status == 1 && outcome.failures.count == 1, "\(outcome.errors)")
            #expect(outcome.failures.first?.contains(name) == true, "\(outcome.errors)")
        }
        #expect(try Query.count(corpus.path) == 6)
    }
}
