import Corpus
import Foundation
import Testing

@Suite struct SelectionTests {
    private let policy = CatalogueQuery(by: "mi", top: 1, perPrompt: true)

    @Test func aNameKeepsItsHistory() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(6)
        try corpus.append(Array(records[..<4]))
        let first = try corpus.resolve(policy)
        #expect(first.ids == [records[0].id, records[3].id])
        try corpus.store(first, as: "best")
        try corpus.store(first, as: "best")
        try corpus.append(Array(records[4...]))
        let second = try corpus.renewed(corpus.selection(named: "best"))
        #expect(second.ids == [records[0].id, records[5].id])
        try corpus.store(second, as: "best")
        #expect(try corpus.history(of: "best").map(\.digest) == [first.digest, second.digest])
        #expect(try corpus.selection(named: "best") == second)
        #expect(try corpus.selection(first.digest) == first)
        #expect(corpus.selectionNames() == ["best"])
    }

    @Test(arguments: ["", "../x", ".hidden", "a/b", "a b"])
    func namesStayInsideTheirFolder(name: String) throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        #expect(throws: CorpusError.self) { try corpus.store(corpus.resolve(policy), as: name) }
    }

    @Test func damageAndAbsenceAreNamed() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let missing = #expect(throws: CorpusError.self) { try corpus.selection(named: "none") }
        #expect(missing?.code == .notFound)
        try corpus.append(sampleRecords(2))
        let selection = try corpus.resolve(policy)
        try corpus.store(selection, as: "best")
        let url = corpus.folder.appending(path: "selections/\(selection.digest.hex).json")
        var data = try Data(contentsOf: url)
        data[data.count / 2] ^= 1
        try data.write(to: url)
        let damaged = #expect(throws: CorpusError.self) { try corpus.selection(named: "best") }
        #expect(damaged?.code == .damaged)
    }
}
