import CorpusStore
import Foundation
import TestSupport
import Testing
import Workflows

/// Selecting by query, from files and from other selections, and what listings say of it.
@Suite struct SelectionWorkflowTests {
    private let small: SmallCorpus
    private var corpus: Corpus { small.corpus }

    init() throws { small = try SmallCorpus() }

    @Test func queriesFilesAndCombinations() throws {
        let best = try SelectionRequest.query(CatalogueQuery(by: "mi", top: 1, perPrompt: true)).select(
            as: "best", in: corpus)
        let all = try SelectionRequest.query(CatalogueQuery(by: "mi")).select(as: "all", in: corpus)
        #expect(best.ids.count == 2 && all.ids.count == 6)
        let rest = try SelectionRequest.combination(.difference, ["all", "best"]).select(as: "rest", in: corpus)
        #expect(rest.ids == all.ids.filter { !best.ids.contains($0) })
        #expect(
            try SelectionRequest.combination(.union, ["best", "rest"]).select(as: "again", in: corpus).ids == best.ids
                + rest.ids)

        let list = try small.scratch.file(
            "ids.txt", "# mine\r\n\(rest.ids[1].hex)\r\n\(best.ids[0].hex.prefix(12))  why\n")
        let listed = try SelectionRequest.file(list).select(as: "best", in: corpus)
        #expect(listed.ids == [rest.ids[1], best.ids[0]])

        let history = try SelectionHistory("best", in: corpus)
        #expect(history.versions.map(\.selection) == ["best~1", "best"])
        #expect(history.versions.map(\.added) == [2, 1] && history.versions.map(\.removed) == [0, 1])
        #expect(history.versions.map(\.policy) == ["--by mi --top 1 --per prompt", "--from a list"])
        #expect(history.table.text.contains("+1"))
        let listing = try SelectionListing.all(corpus)
        #expect(listing.map(\.name) == ["again", "all", "best", "rest"])
        #expect(listing.map(\.samples) == [6, 6, 2, 4])

        let comparison = try SelectionComparison("best~1", list, in: corpus, columns: "id,prompt")
        #expect(
            comparison.common == 1 && comparison.a.only == [best.ids[1]] && comparison.b.only == [rest.ids[1]])
        let rows = try corpus.rows([best.ids[1], rest.ids[1]])
        let expected = ((rows[rest.ids[1]]?.mi ?? .nan) - (rows[best.ids[1]]?.mi ?? .nan)) / 2
        #expect(abs((comparison.meanMIChange ?? .nan) - expected) < 1e-9)
        let text = try comparison.text()
        #expect(text.contains("only in A\n") && text.contains(best.ids[1].hex.prefix(12)))
    }

    @Test func whatMakesNoSenseIsNamed() throws {
        let none = #expect(throws: Failure.self) {
            try SelectionRequest.query(CatalogueQuery(condition: "seed > 1000")).select(as: "x", in: corpus)
        }
        #expect(none?.description.contains("nothing was selected") == true)
        let unread = #expect(throws: Failure.self) {
            try SelectionRequest.file(small.scratch.path("nothing")).select(as: "x", in: corpus)
        }
        #expect(unread?.description.contains("cannot be read") == true)
        #expect(throws: CorpusError.self) {
            try SelectionRequest.combination(.union, ["best", "worst"]).select(as: "x", in: corpus)
        }
        #expect(try corpus.selectionNames() == [])
    }

    @Test func contentsHaveTheChosenColumns() throws {
        _ = try SelectionRequest.query(CatalogueQuery(by: "mi", top: 1, perPrompt: true)).select(as: "best", in: corpus)
        let contents = try SelectionContents("best", in: corpus, columns: "seed,prompt")
        let lines = contents.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("best  2 samples  --by mi --top 1") == true)
        #expect(lines.count == 6 && lines[3] == "seed  prompt")
        #expect(try jsonText(contents).contains("\"latent_shape\""))
        let unknown = #expect(throws: UsageError.self) {
            try SelectionContents("best", in: corpus, columns: "seed,beauty")
        }
        #expect(unknown?.description.hasPrefix("no column 'beauty'") == true)
    }
}
