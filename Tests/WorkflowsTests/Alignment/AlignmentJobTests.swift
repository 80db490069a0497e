import CorpusStore
import Foundation
import TestSupport
import Testing
import Tuning
import Workflows

/// Lets each stage be asked so often before the work is stopped, over all stages.
private final class Allowance {
    var left: Int
    var titles: [String] = []
    init(_ left: Int) { self.left = left }
}

private struct StoppingMonitor: WorkMonitor {
    let allowance: Allowance
    func begin(total: Int) {}
    func update(_ done: Int) {}
    func warn(_ line: String) {}
    var isCancelled: Bool {
        allowance.left -= 1
        return allowance.left < 0
    }
}

@Suite("align") struct AlignmentJobTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func file(
        rounds: Int = 2, score: String = #"{"referee": "shapes"}"#, train: String = "", extra: String = ""
    ) throws -> URL {
        _ = try scratch.file("prompts.txt", "a star and a cross\none red circle\n")
        _ = try scratch.file("test.txt", "one blue square\n")
        let text = """
            {"name": "tiny", "rounds": \(rounds), "model": "\(Repository.tinySD.path)", "prompts": "prompts.txt",
             "candidates": {"images_per_prompt": 2, "steps": 4, "guidance": 3, "batch": 2},
             "score": \(score), "select": {"top": 1},
             "train": {"rank": 4, "alpha": 4, "steps": 2, "batch": 2, "lr": 1e-3, "checkpoint_every": 1\(train)},
             "evaluate": {"prompts": "test.txt", "images_per_prompt": 1, "guidance": [3], "steps": 4, "resamples": 50}\(extra)}
            """
        return URL(fileURLWithPath: try scratch.file("align.json", text))
    }

    private func corpus(_ name: String) throws -> Corpus {
        try Corpus.create(at: scratch.url(name), scoring: TraceScores())
    }

    private func run(
        _ file: URL, in corpus: Corpus, allowing allowed: Int = .max
    ) throws -> (record: AlignmentRecord, isFinished: Bool, titles: [String]) {
        let allowance = Allowance(allowed)
        let result = try AlignmentJob(AlignmentConfiguration(file)).run(
            in: corpus,
            monitor: { title, _ in
                allowance.titles.append(title)
                return StoppingMonitor(allowance: allowance)
            })
        return (result.record, result.isFinished, allowance.titles)
    }

    @Test func stopsAnywhereLeadToTheSameAdapters() throws {
        let file = try file()
        let whole = try corpus("whole")
        let expected = try run(file, in: whole)
        #expect(expected.isFinished && expected.record.rounds.count == 2)
        let rounds = expected.record.rounds
        #expect(rounds.map(\.name) == ["tiny-r1", "tiny-r2"] && rounds.map(\.candidates) == [4, 4])
        #expect(rounds.map(\.selected) == [2, 2])
        // Lineage: the second round's candidates are those of the first round's adapter.
        #expect(rounds[0].startedFrom == nil && rounds[1].startedFrom == rounds[0].adapter)
        #expect(rounds[0].adapter != rounds[1].adapter && rounds[0].selection != rounds[1].selection)
        let second = try whole.query(CatalogueQuery(condition: "tag = 'tiny-r2'"))
        #expect(second.count == 4 && Set(second.map(\.adapter)) == [rounds[0].adapter])
        for round in rounds {
            #expect(try whole.selection(named: round.name).digest.hex == round.selection)
            let adapter = RunFolder(corpus: whole.folder, name: round.name).adapter
            #expect(try AdapterFile.digest(of: adapter) == round.adapter)
            let evaluation = try StoredEvaluations.report(named: round.name, in: whole)
            #expect(evaluation?.settings.adapters.last?.digest == round.adapter)
            #expect(Set(round.results.map(\.model)) == ["base", round.name])
        }
        #expect(whole.verify().isEmpty)

        // Stopped after one question more each time: in generation, judging, training and evaluation of both rounds.
        let stopped = try corpus("stopped")
        var (stops, stages) = (0, Set<String>())
        while true {
            let part = try run(file, in: stopped, allowing: 1)
            if let last = part.titles.last, !part.isFinished { stages.insert(last) }
            if part.isFinished {
                #expect(part.record.rounds == expected.record.rounds)
                break
            }
            stops += 1
            try #require(stops < 60)
        }
        #expect(stages.isSuperset(of: ["round 1: generate", "round 1: train", "round 2: train", "round 2: evaluate"]))
        // Again: nothing is left to do.
        let again = try run(file, in: stopped, allowing: 0)
        #expect(again.isFinished && again.titles.isEmpty)
    }

    @Test func aContrastiveScoreIsMeasuredAndRewards() throws {
        let file = try file(
            rounds: 1, score: #"{"form": "contrast", "count": 2, "steps": 8, "timesteps": "451-999"}"#,
            train: #", "loss": "nft", "beta": 0.5"#)
        let corpus = try corpus("corpus")
        var text = try String(contentsOf: file, encoding: .utf8)
        text.replace(#""top": 1"#, with: #""top": "all""#)
        try Data(text.utf8).write(to: file)
        let result = try run(file, in: corpus)
        #expect(result.isFinished && result.record.rounds[0].selected == 4)
        let candidates = try corpus.query(CatalogueQuery(condition: "tag = 'tiny-r1'"))
        #expect(candidates.allSatisfy { $0.contrast != nil })
        let measured = try corpus.scores(of: candidates.map(\.id)).map(\.scorer.timesteps)
        #expect(!measured.isEmpty && measured.allSatisfy { $0 == 451...999 })
    }

    @Test func aChangedConfigurationIsRefusedByItsKey() throws {
        let corpus = try corpus("corpus")
        #expect(try run(file(rounds: 1), in: corpus).isFinished)
        let failure = #expect(throws: Failure.self) { try run(file(rounds: 1, train: #", "seed": 7"#), in: corpus) }
        #expect(failure?.description.contains("train.seed") == true)
        let other = #expect(throws: Failure.self) { try run(file(rounds: 1, score: #"{"form": "mi"}"#), in: corpus) }
        #expect(other?.description.contains("made with score shapes, and it is mi now") == true)
        // More rounds are no other configuration, and an adapter that is gone is noticed.
        try FileManager.default.removeItem(at: RunFolder(corpus: corpus.folder, name: "tiny-r1").adapter)
        let gone = #expect(throws: Failure.self) { try run(file(rounds: 1), in: corpus) }
        #expect(gone?.description.contains("is not the adapter that round 1 made") == true)
    }

    @Test(
        arguments: [
            (#", "ranks": 8"#, "", "train.ranks is not a key"), (#", "loss": "best""#, "", "train.loss is 'best'"),
            (#", "targets": "all""#, "", "train.targets is all"),
            (#", "clamp": 2"#, "", "train.clamp is not for loss denoise"),
            (#", "timesteps": "late""#, "", "train.timesteps is 'late'"),
            ("", #", "round": 3"#, "round is not a key"), ("", #", "select": 3"#, ""),
            (#", "warmup": 1.5"#, "", "no whole number"),
        ])
    func badKeysAreNamed(train: String, extra: String, expected: String) throws {
        if extra.contains("select") {
            let url = URL(
                fileURLWithPath: try scratch.file("bad.json", #"{"model": "m", "prompts": "p", "select": 3}"#))
            let error = #expect(throws: UsageError.self) { try AlignmentConfiguration(url) }
            #expect(error?.description.contains("select is not an object") == true)
            return
        }
        let url = try file(train: train, extra: extra)
        let error = #expect(throws: UsageError.self) { try AlignmentConfiguration(url) }
        #expect(error?.description.contains(expected) == true && error?.description.contains("\n") == false)
    }

    /// Not after a round of training.
    @Test func promptsThatTheJudgeDoesNotKnowAreNamedBeforeAnythingIsMade() throws {
        let url = try file()
        let text = try String(contentsOf: url, encoding: .utf8)
            .replacing("\"resamples\": 50", with: "\"resamples\": 50, \"referee\": \"shapes\"")
        try text.write(to: url, atomically: true, encoding: .utf8)
        for name in ["prompts.txt", "test.txt"] {
            let prompts = scratch.url(name)
            let before = try String(contentsOf: prompts, encoding: .utf8)
            try (before + "a cathedral\n").write(to: prompts, atomically: true, encoding: .utf8)
            let corpus = try corpus("for \(name)")
            let failure = #expect(throws: Failure.self) { try run(url, in: corpus) }
            #expect(failure?.description.contains("\(name): 'a cathedral' is not a prompt of the shapes") == true)
            #expect(try corpus.count(CatalogueQuery()) == 0)
            try before.write(to: prompts, atomically: true, encoding: .utf8)
        }
    }

    @Test(.enabled(if: Programs.hasJSONSchema, "a Python with jsonschema is needed: make setup-python"))
    func configurationsFitTheirSchema() throws {
        let good = try file(extra: "").path
        let bad = try scratch.file(
            "bad.json", #"{"model": "m", "prompts": "p", "evaluate": {"prompts": "t"}, "round": 2}"#)
        let script = Repository.root.appending(path: "Tests/Interop/check_documents.py").path
        let outcome = try Programs.run(
            try #require(Programs.python), [script, "align=\(good)", "--refused", "align=\(bad)"])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
}
