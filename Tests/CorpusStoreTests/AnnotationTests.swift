import CorpusStore
import Foundation
import Testing

@Suite struct AnnotationTests {
    private let folder: URL
    private let corpus: Corpus
    private let ids: [Digest]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID().uuidString)")
        corpus = try Corpus.create(at: folder, scoring: SumScoring())
        let records = try sampleRecords(4)
        try corpus.append(records)
        ids = records.map(\.id)
    }

    private func values(_ scores: [Double]) -> [AnnotationValue] {
        zip(ids, scores).map { AnnotationValue(sample: $0, value: $1) }
    }

    @Test func scoresBecomeColumns() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try corpus.annotate(values([0.5, 0.9, 0.1]), by: "hps_v2", from: "a.csv") == 1)
        let high = try corpus.query(CatalogueQuery(condition: "hps_v2 > 0.3", by: "hps_v2"))
        #expect(high.map(\.id) == [ids[1], ids[0]])
        #expect(try corpus.query(CatalogueQuery(condition: "hps_v2 IS NULL")).map(\.id) == [ids[3]])
        let best = try corpus.resolve(CatalogueQuery(condition: "mi > 0", by: "hps_v2", top: 1, perPrompt: true))
        #expect(best.ids.contains(ids[1]) && best.ids.count == 2)
        #expect(try corpus.annotations(of: ids)[ids[2]] == ["hps_v2": 0.1])
        #expect(throws: CorpusError.self) { try corpus.query(CatalogueQuery(condition: "hps_v3 > 0")) }
        #expect(corpus.verify().isEmpty)
    }

    @Test func laterRevisionsCountAndSurvive() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try corpus.annotate(values([1, 2, 3]), by: "human", from: "first.jsonl")
        #expect(try corpus.annotate(values([1, 2]), by: "human", from: "same.jsonl") == nil, "nothing new")
        #expect(try corpus.annotate(values([5]), by: "human", from: "second.jsonl") == 2)
        try corpus.annotate(values([7]), by: "aesthetic", from: "x.csv")
        let expected = try corpus.annotationSummaries()
        #expect(expected.map(\.scorer) == ["aesthetic", "human"])
        #expect(expected[1].samples == 3 && expected[1].revision == 2 && expected[1].source == "second.jsonl")
        #expect(expected[1].lowest == 2 && expected[1].highest == 5)
        let annotations = try corpus.annotations(of: ids)
        let again = try Corpus.reindex(at: folder, scoring: SumScoring())
        #expect(again.unreadable.isEmpty)
        #expect(try again.corpus.annotationSummaries() == expected)
        #expect(try again.corpus.annotations(of: ids) == annotations)
    }

    @Test func strangersAreRefused() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let stranger = AnnotationValue(sample: Digest(of: [9]), value: 1)
        #expect(throws: CorpusError.self) { try corpus.annotate(values([1]) + [stranger], by: "human", from: "x") }
        #expect(try corpus.scorers().isEmpty && corpus.shards().count == 1, "nothing is half imported")
    }

    @Test(arguments: ["", "Big", "two words", "mi", "select", "9lives", "x'; DROP TABLE sample", "_a"])
    func badNamesAreRefused(name: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: CorpusError.self) { try corpus.annotate(values([1]), by: name, from: "x") }
    }

    @Test func aFlippedByteIsFound() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = Set(try corpus.shards())
        try corpus.annotate(values([1, 2, 3]), by: "human", from: "first.jsonl")
        let digest = try #require(try Set(corpus.shards()).subtracting(before).first)
        let file = folder.appending(path: "shards/\(digest.hex.prefix(2))/\(digest.hex).h5")
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: file)
        #expect(corpus.verify().count == 1)
        let again = try Corpus.reindex(at: folder, scoring: SumScoring())
        #expect(again.unreadable.count == 1)
        #expect(try again.corpus.query(CatalogueQuery()).count == 4)
    }
}
