import CorpusStore
import Foundation
import Markup
import Plots

/// What a selection chose, and what from: sections of a report.
struct SelectionReport {
    private let name: String
    private let corpus: Corpus
    private let browser: CatalogueBrowser
    private let reader: SampleReader
    private let score: String
    private let prompts: Int
    private let columns: Int
    private let selection: Selection
    private let chosen: Set<Digest>

    /// - Parameters:
    ///   - name: of the selection, as `best` or `best~1`.
    ///   - score: what samples are ranked by.
    ///   - prompts: how many prompts are shown.
    ///   - columns: how many candidates of each; those in the selection are always among them.
    init(_ name: String, in corpus: Corpus, score: String, prompts: Int, columns: Int) throws {
        (self.name, self.corpus, self.score, self.prompts, self.columns) = (name, corpus, score, prompts, columns)
        // A report may take its time.
        browser = CatalogueBrowser(corpus, limits: .init(seconds: 600, samples: 10_000_000))
        reader = SampleReader(corpus)
        selection = try corpus.selection(meant: name)
        chosen = Set(selection.ids)
        guard !selection.ids.isEmpty else {
            throw Failure("\(name): the selection is empty; there is nothing to draw")
        }
        let known = try browser.scores()
        guard known.contains(score) else {
            throw UsageError("--by \(score): is not a score; there are \(known.joined(separator: ", "))")
        }
    }

    func sections() throws -> [ReportDocument.Section] {
        let rows = try ranked()
        return [
            ReportDocument.Section("Overview", try overview(rows)),
            ReportDocument.Section("Best and worst", try extremes(rows)),
            ReportDocument.Section("Candidates", try candidates()),
            ReportDocument.Section("Traces", try traces()),
            ReportDocument.Section("Provenance", try provenance()),
        ].filter { !$0.content.isEmpty }
    }

    /// The selection's samples, the highest score first; those without one last.
    private func ranked() throws -> [BrowsedSample] {
        let keys = try browser.keys(of: selection.ids)
        let missing = selection.ids.first { keys[$0] == nil }
        if let missing {
            throw Failure("\(name): the corpus lacks its sample \(missing); restore its shard, or select again")
        }
        return try browser.rows(selection.ids.compactMap { keys[$0] }, by: score)
            .sorted { ($0.score ?? -.infinity, $1.row.id) > ($1.score ?? -.infinity, $0.row.id) }
    }

    private func overview(_ rows: [BrowsedSample]) throws -> [Markup] {
        let summary = try corpus.summary()
        func mean(_ values: [Double]) -> String {
            values.isEmpty ? "–" : Figure.short(values.reduce(0, +) / Double(values.count))
        }
        let values = rows.compactMap(\.score)
        var content: [Markup] = [
            ReportDocument.card(
                nil,
                ReportDocument.table(
                    "Overview", ["", ""],
                    [
                        ["corpus", corpus.folder.lastPathComponent],
                        [
                            "samples",
                            "\(Figure.grouped(summary.samples)) of \(Figure.grouped(summary.prompts)) prompts",
                        ],
                        [
                            "selection",
                            "\(name): \(Figure.grouped(rows.count)) samples of \(Figure.grouped(Set(rows.map(\.row.prompt)).count)) prompts",
                        ],
                        ["mean \(score) of the selection", mean(values)],
                    ]))
        ]
        if let all = try browser.distribution(of: score, bins: 40) {
            let width = (all.range.upperBound - all.range.lowerBound) / Double(all.counts.count)
            var counts = [Int](repeating: 0, count: all.counts.count)
            for value in values where width > 0 {
                counts[min(max(Int((value - all.range.lowerBound) / width), 0), counts.count - 1)] += 1
            }
            content.append(
                .tag(
                    "div", ["class": "charts"],
                    histogram("All samples", all.range, all.counts),
                    width > 0 ? histogram("The selection", all.range, counts) : .empty))
        }
        return content
    }

    private func histogram(_ title: String, _ range: ClosedRange<Double>, _ counts: [Int]) -> Markup {
        guard
            let plot = Histogram(
                title: "\(title) by \(score)", axis: score == "mi" ? "mi, nats" : score, range: range, counts: counts
            ).markup
        else { return .empty }
        return ReportDocument.card("\(title) by \(score)", plot)
    }

    private static let extreme = 8

    private func extremes(_ rows: [BrowsedSample]) throws -> [Markup] {
        let scored = rows.filter { $0.score != nil }
        guard scored.count > 1 else { return [] }
        let count = min(Self.extreme, scored.count / 2)
        return [
            .tag("h3", [:], "Highest \(score)"), try images(Array(scored.prefix(count)), captions: true),
            .tag("h3", [:], "Lowest \(score)"), try images(scored.suffix(count).reversed(), captions: true),
        ]
    }

    private func images(_ samples: [BrowsedSample], captions: Bool = false, marks: Bool = false) throws -> Markup {
        .tag(
            "div", ["class": "images"],
            try samples.map { sample in
                let image = try ReportImages.markup(
                    reader.image(sample.row), named: "sample \(sample.row.id)", alt: sample.row.prompt)
                let figure = sample.score.map { Figure.short($0) } ?? "–"
                let prompt = sample.row.prompt.count > 60 ? sample.row.prompt.prefix(60) + "…" : sample.row.prompt
                return ReportImages.figure(
                    image, caption: captions ? "\(figure) · \(prompt)" : figure,
                    isMarked: marks && chosen.contains(sample.row.id))
            })
    }

    /// The candidates of the selection's first prompts, the highest score first.
    private func groups() throws -> [(prompt: String, samples: [BrowsedSample])] {
        var shown: [(prompt: String, samples: [BrowsedSample])] = []
        var seen: Set<Int64> = []
        let keys = try browser.keys(of: selection.ids)
        for id in selection.ids {
            guard shown.count < prompts, let key = keys[id], !seen.contains(key) else { continue }
            let all = try browser.candidates(like: key, by: score).samples
            seen.formUnion(all)
            let first = all.prefix(columns)
            // What is chosen is always there.
            let left = try browser.rows(all.dropFirst(columns)).filter { chosen.contains($0.row.id) }
                .map(\.key).prefix(columns)
            let samples = try browser.rows(first.dropLast(min(left.count, first.count)) + left, by: score)
            if let prompt = samples.first?.row.prompt { shown.append((prompt, samples)) }
        }
        return shown
    }

    private func candidates() throws -> [Markup] {
        [
            .tag(
                "p", ["class": "quiet"],
                "Candidates of each prompt by \(score), highest first; what the selection has is framed.")
        ]
            + (try groups().flatMap { group in
                [.tag("h3", [:], "\(group.prompt)"), try images(group.samples, marks: true)]
            })
    }

    /// Prompts whose traces are drawn.
    private static let traced = 4

    private func traces() throws -> [Markup] {
        let charts = try groups().prefix(Self.traced).compactMap { group -> Markup? in
            let lines = try group.samples.map { sample in
                let trace = try reader.trace(sample.row)
                let isChosen = chosen.contains(sample.row.id)
                return LineChart.Line(
                    name: isChosen ? "in the selection" : "other candidates",
                    zip(trace.timesteps, trace.deltaSquared).map { (Double($0), Double($1)) },
                    style: isChosen ? .second : .faint)
            }
            let chart = LineChart(
                title: "MI traces of the candidates for “\(group.prompt)”",
                x: "timestep t, from noise (left) to image (right)",
                y: "‖ε(z,p,t) − ε(z,∅,t)‖²",
                // Marked lines come last, on top.
                lines: lines.filter { $0.style == .faint } + lines.filter { $0.style != .faint }, isDescending: true,
                startsAtZero: true)
            return chart.markup.map { ReportDocument.card(group.prompt, $0) }
        }
        return charts.isEmpty ? [] : [.tag("div", ["class": "charts"], charts)]
    }

    private func provenance() throws -> [Markup] {
        let origins = try browser.origins().prefix(50)
        let rows = try browser.rows(browser.keys(of: Array(selection.ids.prefix(10_000))).values)
        let settings = Set(
            rows.map {
                "\($0.row.sampler), \($0.row.steps) steps, guidance \($0.row.guidance), \($0.row.width)×\($0.row.height)"
            })
        return [
            ReportDocument.card(
                nil,
                ReportDocument.table(
                    "Selection", ["", ""],
                    [
                        ["selection (SHA-256)", selection.digest.hex], ["chosen by", Self.words(selection.policy)],
                        ["made with", settings.sorted().prefix(10).joined(separator: "; ")],
                    ])),
            ReportDocument.card(
                "Samples of the corpus by origin",
                ReportDocument.table(
                    "Origins", ["Model", "Adapter", "Tag", "Samples"],
                    origins.map { [$0.model, $0.adapter ?? "none", $0.tag ?? "–", Figure.grouped($0.samples)] })),
        ]
    }

    private static func words(_ policy: SelectionPolicy) -> String {
        switch policy {
        case .list: return "a list"
        case .combination(let operation, let operands):
            return "\(operation.rawValue) of \(operands.map { String($0.hex.prefix(12)) }.joined(separator: ", "))"
        case .query(let query):
            var words: [String] = []
            if let top = query.top { words.append("the best \(top)\(query.perPrompt ? " of each prompt" : "")") }
            if let by = query.by { words.append("by \(by)") }
            if let condition = query.condition { words.append("where \(condition)") }
            return words.isEmpty ? "all samples" : words.joined(separator: " ")
        }
    }
}
