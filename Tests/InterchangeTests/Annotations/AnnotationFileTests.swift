import CorpusStore
import Foundation
import Interchange
import TestSupport
import Testing

@Suite struct AnnotationFileTests {
    private let scratch: Scratch
    private let a = Digest(of: [1])
    private let b = Digest(of: [2])

    init() throws { scratch = try Scratch() }

    private func read(_ name: String, _ text: String, selection: [Digest]? = nil, column: String? = nil) throws
        -> [AnnotationValue]
    {
        try Data(text.utf8).write(to: scratch.url(name))
        return try AnnotationFile(scratch.url(name), scorer: "hps", selection: selection, column: column).values
    }

    @Test func readsRowsOfIdsAndScores() throws {
        let expected = [AnnotationValue(sample: a, value: 0.5), AnnotationValue(sample: b, value: -2)]
        #expect(try read("x.jsonl", "{\"id\":\"\(a)\",\"score\":0.5}\r\n\n{\"id\":\"\(b)\",\"score\":-2}") == expected)
        #expect(try read("x.csv", "hps,id,score\n0.5,\(a),9\n-2,\(b),9\n") == expected, "the scorer's own column first")
        #expect(try read("y.csv", "id,other\n\(a),0.5\n\(b),-2\n", column: "other") == expected)
        #expect(try read("z.csv", "file_name,reward\ntrain/\(a).png,0.5\n\(b).png,-2\n\(b).png,-2\n") == expected)
    }

    /// As BLIP_vqa.py writes it: numbers as texts.
    @Test func readsT2ICompBenchsResults() throws {
        let text = "[{\"question_id\": 1, \"answer\": \"0.5000\"}, {\"question_id\": 0, \"answer\": \"-2\"}]"
        #expect(
            try read("vqa_result.json", text, selection: [b, a])
                == [AnnotationValue(sample: a, value: 0.5), AnnotationValue(sample: b, value: -2)])
        #expect(try read("scores.json", "{\"\(a).png\": 0.25}") == [AnnotationValue(sample: a, value: 0.25)])
        expectRefused("vqa_result.json, entry 1", "--selection") { _ = try read("vqa_result.json", text) }
        expectRefused("vqa_result.json, entry 1", "has 1 samples") {
            _ = try read("vqa_result.json", text, selection: [b])
        }
    }

    /// pandas counts its rows, Excel for Mac ends lines in CR, Windows has other paths.
    @Test func readsTablesOfOtherPrograms() throws {
        let expected = [AnnotationValue(sample: a, value: 0.5), AnnotationValue(sample: b, value: -2)]
        #expect(try read("x.csv", "id,file_name,score\n0,\(a).png,0.5\n1,\(b).png,-2\n") == expected)
        #expect(try read("x.csv", ",file_name,hps\n0,train/\(a).png,0.5\n1,train/\(b).png,-2\n") == expected)
        #expect(try read("x.csv", "id,score\r\(a),0.5\r\(b),-2\r") == expected)
        #expect(try read("x.csv", "file_name,score\nC:\\d\\\(a).png,0.5\nC:\\d\\\(b).png,-2e0\n") == expected)
        #expect(
            try read("x.json", "[{\"file_name\":\"\(a).png\",\"score\":0.5},{\"id\":\"\(b)\",\"hps\":-2}]") == expected)
        #expect(try read("x.csv", "image,score\n\(a).png,+0.5\n\(b).png,-2.0\n") == expected)
    }

    @Test(arguments: ["0x10", "0,5", "85%", "1_000", "", "high", "1e", "0b1", "0x1p3", "½"])
    func refusesWhatIsNoNumber(score: String) throws {
        expectRefused("x.csv, line 2", "not a number") { _ = try read("x.csv", "id,score\n\(a),\"\(score)\"\n") }
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity", "1e400", "\"nan\"", "\"inf\""])
    func tellsScoresThatAreNotFinite(score: String) throws {
        expectRefused("x.jsonl, line 1", "not finite") {
            _ = try read("x.jsonl", "{\"id\":\"\(a)\",\"score\":\(score)}")
        }
        expectRefused("x.json", "not finite") { _ = try read("x.json", "{\"\(a)\":\(score)}") }
    }

    @Test func numbersBeyondIntAreNoIds() throws {
        expectRefused("x.jsonl, line 1", "'12345678901234567890' is not a sample's id") {
            _ = try read("x.jsonl", "{\"id\":12345678901234567890,\"score\":0.3}")
        }
        expectRefused("x.json, entry 1", "numbers") {
            _ = try read("x.json", "[{\"question_id\":12345678901234567890,\"answer\":1}]", selection: [a])
        }
    }

    @Test func refusesWhatIsNoScore() throws {
        expectRefused("x.jsonl, line 1", "not a sample's id") {
            _ = try read("x.jsonl", "{\"id\":\"abc\",\"score\":1}")
        }
        expectRefused("x.jsonl, line 1", "not a number") {
            _ = try read("x.jsonl", "{\"id\":\"\(a)\",\"score\":\"high\"}")
        }
        expectRefused("x.jsonl, line 1", "no id") { _ = try read("x.jsonl", "{\"score\":1}") }
        expectRefused("x.jsonl, line 1", "no hps") { _ = try read("x.jsonl", "{\"id\":\"\(a)\",\"points\":1}") }
        expectRefused("x.csv, line 2", "not finite") { _ = try read("x.csv", "id,score\n\(a),nan\n") }
        expectRefused("x.csv, line 3", "another score") { _ = try read("x.csv", "id,score\n\(a),1\n\(a),2\n") }
        expectRefused("x.txt", ".jsonl") { _ = try read("x.txt", "") }
        expectRefused("x.json", "neither") { _ = try read("x.json", "[1, 2]") }
        expectRefused("x.csv", "no scores") { _ = try read("x.csv", "id,score\n") }
    }
}
