import CorpusStore
import DiskAccess
import Foundation
import Testing

/// A text is its bytes: the catalogue is the same however the corpus came to its samples.
@Suite struct ExactTextTests {
    private static let prompts = [
        "a red caf\u{E9} and a star", "a red cafe\u{301} and a star", "a red circle", "a red circle\0 and a blue star",
    ]

    private func records() throws -> [SampleRecord] {
        try sampleRecords(8).enumerated().map { index, record in
            var record = record
            record.recipe.prompt = Self.prompts[index % 4]
            record.tag = index < 4 ? "na\u{EF}ve" : "nai\u{308}ve"
            return record
        }
    }

    private func bytes(_ texts: [String?]) -> [[UInt8]] { texts.map { Array(($0 ?? "").utf8) } }

    @Test func oneShardManyShardsAndAReindexGiveOneCatalogue() throws {
        let folder = try TemporaryFolder()
        let records = try records()
        let together = try Corpus.create(at: folder.url.appending(path: "a"), scoring: SumScoring())
        try together.append(records)
        let apart = try Corpus.create(at: folder.url.appending(path: "b"), scoring: SumScoring())
        for record in records.reversed() { try apart.append([record]) }
        let made = try Corpus.reindex(at: together.folder, scoring: SumScoring()).corpus
        let best = CatalogueQuery(by: "mi", top: 1, perPrompt: true)
        for corpus in [together, apart, made] {
            let rows = try corpus.query(CatalogueQuery())
            let expected = records.sorted { $0.id < $1.id }
            #expect(rows.map(\.id) == expected.map(\.id))
            #expect(bytes(rows.map(\.prompt)) == bytes(expected.map(\.recipe.prompt)))
            #expect(bytes(rows.map(\.tag)) == bytes(expected.map(\.tag)))
            #expect(try corpus.summary().prompts == 4 && corpus.summary().tags.count == 2)
            #expect(try corpus.resolve(best).ids.count == 4)
            #expect(try corpus.resolve(best).digest == together.resolve(best).digest)
        }
    }

    @Test func aShardKeepsPromptsApart() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let digest = try corpus.append(records())
        let shard = try corpus.open(digest)
        #expect(try bytes(shard.prompts()) == bytes(records().map(\.recipe.prompt)))
        for record in try records() { try corpus.append([record]) }
        try corpus.pack()
        #expect(try corpus.query(CatalogueQuery()).count == 8 && corpus.verify().isEmpty)
    }

    @Test(arguments: ["index", "check", "unique", "default", "update", "current_date"])
    func aScorerCalledAsAWordOfSQL(name: String) throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        try corpus.append(sampleRecords(3))
        let ids = try corpus.ids(CatalogueQuery())
        let values = ids.enumerated().map { AnnotationValue(sample: $1, value: Double($0)) }
        #expect(throws: CorpusError.self) { try corpus.annotate(values, by: name, from: "x") }
        // As a version before 0.2 stored it.
        let file = corpus.files.temporaryFolder.appending(path: "old")
        let data = try Annotations(scorer: name, revision: 1, source: "x", values: values).packed()
        try data.write(to: file)
        try corpus.adopt(file, digest: Digest(of: data))
        try corpus.catchUp()
        #expect(try corpus.scorers() == [name])
        #expect(try corpus.query(CatalogueQuery(condition: "\"\(name)\" > 1")).map(\.id) == [ids[2]])
        #expect(try corpus.ids(CatalogueQuery(by: name, top: 2)) == [ids[2], ids[1]])
        #expect(try corpus.ids(CatalogueQuery(by: name, top: 1, perPrompt: true)).count == 2)
        #expect(Annotations.problem(withName: "hps_v2") == nil && Annotations.problem(withName: "key") == nil)
    }
}
