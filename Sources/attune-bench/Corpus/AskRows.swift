import ArgumentParser
import CorpusStore
import Foundation
import Workflows

/// What is asked of a catalogue.
struct AskRows: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask", abstract: "Open a corpus; count, rank and select its samples.")

    @Argument var folder: String
    @Option var runs = 3

    func run() throws {
        let place = URL(fileURLWithPath: folder)
        func report(_ what: String, _ count: Int = 1, _ runs: [Double]) throws {
            var line = Measurement(what, runs)
            line.count = count
            try line.print()
        }
        // The first opening of this process, and others after it.
        var openings: [Double] = []
        for _ in 0..<runs {
            openings.append(try time { _ = try Corpus(at: place, scoring: TraceScores()) })
        }
        try report("first open", 1, [openings[0]])
        try report("open", 1, openings)
        let corpus = try Corpus(at: place, scoring: TraceScores())
        for condition in [
            "mi > 30", "tag = 'color' AND mi > 28", "mi BETWEEN 24 AND 25",
            "prompt = 'a photo of 1 red cubes, number 0'",
        ] {
            var found = 0
            let query = CatalogueQuery(condition: condition)
            let counting = try times(runs) { found = try corpus.count(query) }
            try report("count of \(condition)", found, counting)
        }
        let hundred = try times(runs) { _ = try corpus.query(CatalogueQuery(by: "mi", top: 100)) }
        try report("best hundred of all, all columns", 100, hundred)
        let best = CatalogueQuery(by: "mi", top: 1, perPrompt: true)
        var rows: [CatalogueRow] = []
        let ranking = try times(runs) { rows = try corpus.query(best) }
        try report("best of each prompt, all columns", rows.count, ranking)
        rows = []
        var ids = 0
        let condition = CatalogueQuery(condition: "tag = 'color'", by: "mi", top: 1, perPrompt: true)
        let filtered = try times(runs) { ids = try corpus.ids(condition).count }
        try report("best of each prompt with a tag", ids, filtered)
        let selecting = try times(runs) {
            let selection = try corpus.resolve(best)
            try corpus.store(selection, as: "best")
            ids = selection.ids.count
        }
        try report("select best of each prompt", ids, selecting)
    }
}
