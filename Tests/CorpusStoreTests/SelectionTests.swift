import CorpusStore
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
        #expect(try corpus.selectionNames() == ["best"])
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

    private func corpus(_ folder: borrowing TemporaryFolder, samples: Int = 6) throws -> (Corpus, [Digest]) {
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(samples)
        try corpus.append(records)
        return (corpus, records.map(\.id))
    }

    @Test func setOperationsKeepTheFirstOrder() throws {
        let folder = try TemporaryFolder()
        let (_, ids) = try corpus(folder)
        let a = Selection(ids: [ids[3], ids[0], ids[1]], policy: .list)
        let b = Selection(ids: [ids[1], ids[4], ids[3]], policy: .list)
        #expect(Selection(.union, of: [a, b]).ids == [ids[3], ids[0], ids[1], ids[4]])
        #expect(Selection(.intersection, of: [a, b]).ids == [ids[3], ids[1]])
        #expect(Selection(.intersection, of: [b, a]).ids == [ids[1], ids[3]])
        #expect(Selection(.difference, of: [a, b]).ids == [ids[0]])
        #expect(Selection(.difference, of: [a, b, a]).ids.isEmpty)
        #expect(Selection(.union, of: [a, b]).digest != Selection(.union, of: [b, a]).digest)

        let difference = SelectionDifference(a, b)
        #expect(difference.onlyInFirst == [ids[0]] && difference.onlyInSecond == [ids[4]])
        #expect(difference.common == [ids[3], ids[1]] && !difference.keepsOrder)
        #expect(SelectionDifference(a, a).isEmpty)
    }

    @Test func everyPolicyComesBack() throws {
        let folder = try TemporaryFolder()
        let (corpus, ids) = try corpus(folder)
        let list = Selection(ids: [ids[2], ids[1]], policy: .list)
        let question = try corpus.resolve(policy)
        for selection in [list, question, Selection(.union, of: [list, question])] {
            #expect(try Selection(data: selection.data, at: "test") == selection)
        }
    }

    /// As the corpus grows, a combination follows its operands; a list stays.
    @Test func combinationsAreRenewedFromTheirOperands() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(6)
        try corpus.append(Array(records[..<4]))
        let best = try corpus.resolve(policy)
        let list = Selection(ids: [records[1].id], policy: .list)
        try corpus.store(best, as: "best")
        try corpus.store(list, as: "mine")
        let both = Selection(.union, of: [best, list])
        #expect(both.ids == [records[0].id, records[3].id, records[1].id])
        try corpus.append(Array(records[4...]))
        let renewed = try corpus.renewed(both)
        #expect(renewed.ids == [records[0].id, records[5].id, records[1].id])
        #expect(renewed.policy == both.policy)
        #expect(try corpus.renewed(list) == list)
    }

    @Test func documentsThatLieAreRefused() throws {
        let folder = try TemporaryFolder()
        let (_, ids) = try corpus(folder)
        let good = Selection(ids: [ids[0], ids[1]], policy: .list).data
        let text = String(decoding: good, as: UTF8.self)
        let bad = [
            text + "\n", text.replacingOccurrences(of: ids[1].hex, with: ids[0].hex),
            text.replacingOccurrences(of: "\"version\":1", with: "\"more\":1,\"version\":1"),
            text.replacingOccurrences(of: "\"list\"", with: "\"magic\""),
            text.replacingOccurrences(of: "attune-selection", with: "something"),
        ]
        for text in bad {
            let error = #expect(throws: CorpusError.self) { try Selection(data: Data(text.utf8), at: "test") }
            #expect(error?.code == .damaged)
        }
        let newer = text.replacingOccurrences(of: "\"version\":1", with: "\"version\":2")
        let error = #expect(throws: CorpusError.self) { try Selection(data: Data(newer.utf8), at: "test") }
        #expect(error?.code == .newerFormat)
    }

    @Test func listsAreReadLineByLine() throws {
        let folder = try TemporaryFolder()
        let (corpus, ids) = try corpus(folder)
        func read(_ text: String) throws -> [Digest] {
            try corpus.selection(reading: Data(text.utf8), at: "list").ids
        }
        #expect(
            try read("# chosen by hand\r\n\(ids[2].hex)\t0.7\r\n\n  \(ids[0].hex.uppercased()), fine\n\(ids[2].hex)")
                == [ids[2], ids[0]])
        #expect(try read(ids[1].hex.prefix(12) + "\n") == [ids[1]])
        let stranger = String(repeating: "0", count: 64)
        for (text, code) in [
            ("\(ids[0].hex)\n\(stranger)", CorpusError.Code.notFound), ("00000000", .notFound), ("hello", .badQuery),
            ("\(ids[0].hex.prefix(5))", .badQuery), ("# nothing", .badQuery), ("", .badQuery),
        ] {
            let error = #expect(throws: CorpusError.self) { try read(text) }
            #expect(error?.code == code, "\(text)")
        }
        // Another corpus' document is compared with, not selected from.
        let foreign = Selection(ids: [ids[0], try #require(Digest(hex: stranger))], policy: .list)
        let error = #expect(throws: CorpusError.self) { try corpus.selection(reading: foreign.data, at: "theirs") }
        #expect(error?.message.contains("1 of its 2 samples") == true)
        #expect(try corpus.selection(reading: foreign.data, at: "theirs", complete: false) == foreign)
    }

    @Test func selectionsAreFoundByNameHistoryAndDigest() throws {
        let folder = try TemporaryFolder()
        let (corpus, ids) = try corpus(folder)
        let versions = (0..<3).map { Selection(ids: [ids[$0]], policy: .list) }
        for version in versions { try corpus.store(version, as: "best") }
        #expect(try corpus.selection(meant: "best") == versions[2])
        #expect(try corpus.selection(meant: "best~0") == versions[2])
        #expect(try corpus.selection(meant: "best~2") == versions[0])
        #expect(try corpus.selection(meant: versions[1].digest.hex) == versions[1])
        #expect(try corpus.selection(meant: String(versions[1].digest.hex.prefix(10))) == versions[1])
        for wrong in ["best~3", "none", "none~1", "ffffff00ff", "abc"] {
            let error = #expect(throws: CorpusError.self) { try corpus.selection(meant: wrong) }
            #expect(error?.code == .notFound, "\(wrong)")
        }
    }
}
