import CorpusStore
import Foundation
import Testing
import Workflows

import Gallery

@Suite("What pages know of a corpus")
struct DataTests {
    @Test func listingIsThatOfQuery() throws {
        let made = try MadeCorpus(candidates: 4)
        let data = try made.data()
        for text in [
            "where=seed+%3E+1&by=mi&view=all", "by=id&view=all", "by=mi_reference&view=all&top=3", "by=-mi&view=all",
        ] {
            let query = try GridQuery(Query(text))
            let rows = try GridRows(data.listing(query), 0..<100, query, marked: nil, in: data)
            #expect(rows.tiles?.map(\.id) == (try made.corpus.query(query.question)).map(\.id), "\(text)")
        }
    }

    /// Rows are written by hand, for speed.
    @Test func rowsAreTheJSONThatAnEncoderGives() throws {
        let made = try MadeCorpus(prompts: ["a \"quoted\" \\ prompt\n\u{1}\u{2028}", "赤い円 😀", ""], candidates: 2)
        let data = try made.data()
        let ids = try made.corpus.ids(CatalogueQuery()).map(\.hex)
        try data.mark([.init(id: ids[0], name: "stars", value: 4), .init(id: ids[1], name: "tag_a_b", value: 1)])
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        for text in ["by=mi", "by=mi&view=all", "by=id&view=all", "by=mi/3.0", "where=0&view=all", "where=0"] {
            let query = try GridQuery(Query(text))
            let rows = try GridRows(data.listing(query), 0..<10, query, marked: nil, in: data)
            let written = try #require(try JSONSerialization.jsonObject(with: Data(rows.bytes)) as? NSDictionary)
            let encoded = try #require(try JSONSerialization.jsonObject(with: encoder.encode(rows)) as? NSDictionary)
            #expect(written == encoded, "\(text)")
        }
    }

    @Test func groupsHaveEachPromptOnce() throws {
        let made = try MadeCorpus(prompts: ["b", "a", "c"], candidates: 3)
        let data = try made.data()
        let query = try GridQuery(Query("by=mi"))
        let rows = try GridRows(data.listing(query), 0..<10, query, marked: nil, in: data)
        #expect(rows.groups?.map(\.prompt) == ["c", "a", "b"])
        #expect(rows.groups?.allSatisfy { $0.total == 3 && $0.tiles.count == 3 } == true)
        #expect(rows.samples == 9 && rows.total == 3)
        let best = try GridQuery(Query("by=mi&top=1&per=prompt"))
        #expect(try data.listing(best).samples.count == 3)
    }

    @Test func theFastWayGivesWhatTheSlowOneGives() throws {
        let made = try MadeCorpus(prompts: ["b", "a", "c", "d"], candidates: 5)
        // Two without MI, and two that have the same.
        for (prompt, seed) in [("e", 7), ("f", 7)] { try made.corpus.append([MadeCorpus.record(prompt, seed: seed)]) }
        let data = try made.data()
        let fast = try data.browser.allByPrompt()
        let slow = try data.browser.samples(CatalogueQuery(by: "mi")).byPrompt()
        #expect(fast.samples == slow.flatMap(\.samples))
        #expect(fast.prompts == slow.flatMap { group in group.samples.map { _ in group.prompt } })
        #expect(!fast.isCut)
        let few = CatalogueBrowser(made.corpus, limits: .init(samples: 7))
        #expect(try few.allByPrompt().samples == Array(fast.samples.prefix(7)))
        #expect(try few.allByPrompt().isCut && few.samples(CatalogueQuery()).isCut)
    }

    @Test func errorsAreThoseOfQuery() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        let condition = "nonsense > 1"
        let expected = #expect(throws: CorpusError.self) { try made.corpus.query(CatalogueQuery(condition: condition)) }
        let found = #expect(throws: CorpusError.self) {
            try data.listing(GridQuery(Query([("where", condition), ("by", "id")])))
        }
        #expect(found == expected)
    }

    @Test func aQuestionWithoutEndEnds() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        let clock = ContinuousClock()
        let time = clock.measure {
            let error = #expect(throws: CorpusError.self) {
                try data.listing(
                    GridQuery(
                        Query([
                            (
                                "where",
                                "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c) > 0"
                            )
                        ])))
            }
            #expect(error?.message.contains("takes longer") == true)
        }
        #expect(time < .seconds(8))
        #expect(try data.listing(GridQuery(Query(""))).samples.count == 6)
    }

    @Test func conditionsCannotWrite() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        for condition in ["1); DELETE FROM sample; --", "1) UNION SELECT 1, 2; DROP TABLE sample; --"] {
            _ = try? data.listing(GridQuery(Query([("where", condition)])))
        }
        #expect(try made.corpus.summary().samples == 6)
    }

    @Test func newSamplesAndMarksAreSeen() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        let query = try GridQuery(Query("view=all"))
        let first = try data.listing(query)
        #expect(try data.listing(query).version == first.version)
        try made.corpus.append([MadeCorpus.record("a green star", seed: 900)])
        #expect(try data.listing(query).samples.count == 7)
        let id = try #require(try made.corpus.query(CatalogueQuery(by: "mi", top: 1)).first).id
        try data.mark([.init(id: id.hex, name: "stars", value: 4)])
        let rows = try GridRows(data.listing(query), 0..<1, query, marked: nil, in: data)
        #expect(rows.tiles?.first?.stars == 4)
    }

    @Test func distributionCountsEverySampleOnce() throws {
        let made = try MadeCorpus(candidates: 50)
        let data = try made.data()
        let found = try #require(try data.browser.distribution(of: "mi", bins: 7))
        #expect(found.counts.reduce(0, +) == 100 && found.present == 100 && found.missing == 0)
        let values = try made.corpus.query(CatalogueQuery()).compactMap(\.mi)
        #expect(found.range == values.min()!...values.max()!)
        let width = (found.range.upperBound - found.range.lowerBound) / 7
        for (bin, count) in found.counts.enumerated() {
            let expected = values.count { min(Int(($0 - found.range.lowerBound) / width), 6) == bin }
            #expect(count == expected)
        }
        #expect(throws: CorpusError.self) { try data.browser.distribution(of: "prompt", bins: 7) }
        #expect(throws: CorpusError.self) { try data.browser.distribution(of: "mi\" FROM sample; --", bins: 7) }
        #expect(try data.browser.distribution(of: "mc", bins: 7) == nil)
    }

    @Test func searchFindsWordsAndFollowsTheCatalogue() throws {
        let made = try MadeCorpus(prompts: [
            "a red circle", "Größe: ein Kreis", "the redder, the better", "DROP TABLE \"x\"",
        ])
        let data = try made.data()
        let search = try #require(data.search)
        search.refresh()
        func texts(_ words: String) throws -> [String] {
            let keys = try #require(try search.prompts(words)).keys
            return try data.browser.prompts(keys).values.sorted()
        }
        #expect(try texts("red ") == ["a red circle"])
        #expect(try texts("red") == ["a red circle", "the redder, the better"])
        #expect(try texts("circle RED ") == ["a red circle"])
        #expect(try texts("grosse").isEmpty)
        #expect(try texts("große") == ["Größe: ein Kreis"])
        #expect(try texts("\"x\" OR table") == [])
        #expect(try texts("drop \"table") == ["DROP TABLE \"x\""])
        #expect(try search.prompts(" -- * ") == nil)
        try made.corpus.append([MadeCorpus.record("a violet hexagon", seed: 77)])
        search.refresh()
        #expect(try texts("hexagon") == ["a violet hexagon"])
        // A catalogue that is rebuilt has other keys.
        _ = try Corpus.reindex(at: made.corpus.folder, scoring: FlatScores())
        search.refresh()
        #expect(try texts("violet") == ["a violet hexagon"])
        #expect(try texts("redder") == ["the redder, the better"])
    }

    @Test func selectionsChangeOnlyFromWhatWasSeen() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        let ids = try made.corpus.ids(CatalogueQuery())
        let first = try data.change("s", seen: nil, adding: [ids[0], ids[1], ids[0]], removing: [])
        #expect(first.ids == [ids[0], ids[1]])
        let second = try data.change("s", seen: first.digest, adding: [ids[2]], removing: [ids[0]])
        #expect(second.ids == [ids[1], ids[2]])
        let error = #expect(throws: CorpusError.self) {
            try data.change("s", seen: first.digest, adding: [ids[3]], removing: [])
        }
        #expect(error?.code == .alreadyExists)
        #expect(try made.corpus.selection(named: "s").ids == second.ids)
        #expect(throws: CorpusError.self) { try data.change("t", seen: first.digest, adding: [], removing: []) }
        #expect(throws: Refusal.self) {
            try data.change("s", seen: second.digest, adding: [Digest(of: [1])], removing: [])
        }
    }

    @Test func picksBecomeASelectionThatCanBeResolvedAgain() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        #expect(throws: Refusal.self) { try data.storePicks(as: "p", replacing: nil) }
        let ids = try made.corpus.ids(CatalogueQuery())
        try data.mark(ids.prefix(2).map { .init(id: $0.hex, name: "pick", value: 1) })
        #expect(try data.storePicks(as: "p", replacing: nil).ids == Array(ids.prefix(2)))
        try data.mark([.init(id: ids[0].hex, name: "pick", value: -1), .init(id: ids[3].hex, name: "pick", value: 1)])
        #expect(try made.corpus.renewed(made.corpus.selection(named: "p")).ids == [ids[1], ids[3]])
        #expect(try data.applyPicks(to: "p", seen: data.present("p")).ids == [ids[1], ids[3]])
    }

    @Test func votesAddUp() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        let ids = Array(try made.corpus.ids(CatalogueQuery()).prefix(2))
        try data.vote(ids, winner: 0)
        try data.vote(ids, winner: 0)
        try data.vote(ids, winner: 1)
        try data.vote(ids, winner: nil)
        let found = try made.corpus.query(CatalogueQuery(condition: "votes IS NOT NULL", by: "votes"))
        #expect(found.map(\.id) == ids)
        #expect(throws: Refusal.self) { try data.vote([ids[0], ids[0]], winner: 0) }
    }

    @Test func comparisonPairsSeedsAndCountsVotes() throws {
        let made = try MadeCorpus(prompts: ["a", "b"], candidates: 3)
        let data = try made.data()
        // Other seeds: pairs of one prompt by rank.
        let unlike = try Comparison(
            ComparisonSide("where:seed % 100 = 0"), ComparisonSide("where:seed % 100 = 2"), in: data)
        #expect(unlike.pairs.count == 2 && !unlike.sharesSeeds)
        #expect(unlike.pairs.allSatisfy { $0.left.prompt == $0.right.prompt })
        // The same samples on both sides are no pairs.
        let same = try Comparison(ComparisonSide("where:1"), ComparisonSide("where:1"), in: data)
        #expect(same.pairs.isEmpty)
        let pair = [unlike.pairs[0].left.id, unlike.pairs[0].right.id].compactMap { Digest(hex: $0) }
        try data.vote(pair, winner: 1)
        let tally = try unlike.tally(data)
        #expect(tally == Comparison.Tally(left: 0, right: 1, ties: 0))
        for text in ["", "selection:", "x:y", "adapter"] {
            #expect(throws: Refusal.self) { try ComparisonSide(text) }
        }
    }

    /// Wilson's interval as scipy.stats.binomtest(k, n).proportion_ci(method="wilson") gives it.
    @Test(arguments: [(8, 2, 0.4901625, 0.9433178), (0, 5, 0.0, 0.4344825), (50, 50, 0.4038315, 0.5961685)])
    func wilson(_ left: Int, _ right: Int, _ low: Double, _ high: Double) throws {
        let share = try #require(Comparison.Tally(left: left, right: right, ties: 3).share)
        #expect(abs(share.low - low) < 1e-6 && abs(share.high - high) < 1e-6)
    }

    @Test func thumbnailsAreKeptAndDamageIsNamed() throws {
        let made = try MadeCorpus(prompts: ["large"], candidates: 1, side: 700)
        try made.corpus.append([MadeCorpus.record("broken", seed: 5, side: 700, png: [1, 2, 3])])
        let data = try made.data()
        let rows = try made.corpus.query(CatalogueQuery())
        let large = try #require(rows.first { $0.prompt == "large" })
        let first = try data.thumbnails.scaled(large, to: 192)
        #expect(first.type == "image/webp" && first.bytes.count < 40_000)
        #expect(try data.thumbnails.scaled(large, to: 192).bytes == first.bytes)
        #expect(data.thumbnails.bytes == first.bytes.count)
        #expect(
            try data.thumbnails.scaled(large, to: 512).type == "image/png" || data.thumbnails.bytes > first.bytes.count)
        let broken = try #require(rows.first { $0.prompt == "broken" })
        let refusal = #expect(throws: Refusal.self) { try data.thumbnails.scaled(broken, to: 192) }
        #expect(refusal?.status == 422)
        // Small enough to be sent as it is stored: looked at before.
        let whole = #expect(throws: Refusal.self) { try data.thumbnails.scaled(broken, to: 512) }
        #expect(whole?.status == 422 && whole?.reason.contains("is damaged in shard") == true)
        data.thumbnails.prune(to: 0)
        #expect(data.thumbnails.bytes == 0)
    }

    @Test func runsAreReadAsTheyGrow() throws {
        let made = try MadeCorpus()
        let data = try made.data()
        let folder = made.corpus.folder.appending(path: "runs/r")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let log = folder.appending(path: "log.jsonl")
        func step(_ step: Int) -> String {
            #"{"event":"step","step":\#(step),"loss":\#(1.0 / Double(step)),"lr":0.1,"grad_norm":2,"samples":\#(8 * step),"epoch":0,"timesteps":[]}"#
                + "\n"
        }
        let head =
            #"{"event":"run","model":"m","selection":"s","configuration":{"steps":10,"follow":false,"optimizer":{"beta1":0.9}}}"#
            + "\n"
        try (head + step(1) + step(2) + #"{"event":"#).write(to: log, atomically: false, encoding: .utf8)
        #expect(try data.runs.run("r").history.step == 2)
        #expect(try data.runs.run("r").history.damagedLine == nil)
        let handle = try FileHandle(forWritingTo: log)
        try handle.truncate(atOffset: UInt64((head + step(1) + step(2)).utf8.count))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data((step(3) + #"{"event":"of a later version"}"# + "\n").utf8))
        let grown = try data.runs.run("r")
        #expect(grown.history.steps.map(\.step) == [1, 2, 3] && grown.history.settings.steps == 10)
        #expect(grown.history.settings.values.contains { $0 == ("follow", "no") })
        // A resume rewrites the log, rewound.
        try (head + step(1) + #"{"event":"resumed","step":1}"# + "\n" + step(2)).write(
            to: log, atomically: true, encoding: .utf8)
        #expect(try data.runs.run("r").history.steps.map(\.step) == [1, 2])
        for name in ["..", ".", "", "a/b", ".hidden", "nothing"] {
            #expect(throws: Refusal.self, "\(name)") { try data.runs.run(name) }
        }
        // A checkpoint that cannot be looked at is not one that is gone.
        let checkpoint = folder.appending(path: "checkpoints/c.safetensors").path
        try FileManager.default.createDirectory(
            at: folder.appending(path: "checkpoints"), withIntermediateDirectories: true)
        try (head + step(1) + #"{"event":"checkpoint","step":1,"checkpoint":"c"}"# + "\n").write(
            to: log, atomically: true, encoding: .utf8)
        #expect(try data.runs.run("r").history.checkpoints.count == 1)
        try FileManager.default.createSymbolicLink(atPath: checkpoint, withDestinationPath: checkpoint)
        #expect(throws: (any Error).self) { try data.runs.run("r") }
    }
}
