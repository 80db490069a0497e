package import Corpus
import Foundation

/// The candidates that a selection chose from, prompt by prompt.
package struct SelectionReport {
    private let name: String
    private let reader: SampleReader
    private let chosen: Set<String>
    /// Candidates of each prompt, the one with the highest MI first.
    private let groups: [(prompt: String, rows: [CatalogueRow])]
    private let columns: Int

    /// - Parameters:
    ///   - prompts: how many prompts to show.
    ///   - columns: how many candidates of each; those in the selection are always among them.
    package init(_ name: String, in corpus: Corpus, prompts: Int, columns: Int) throws {
        self.name = name
        self.columns = columns
        reader = SampleReader(corpus)
        let ids = try corpus.selection(named: name).ids.map(\.hex)
        chosen = Set(ids)
        var order: [ExactText] = []
        for row in try reader.rows(ids) where !order.contains(ExactText(row.prompt)) {
            order.append(ExactText(row.prompt))
            if order.count == prompts { break }
        }
        // As bytes: a text of SQL ends at U+0000.
        let texts = order.map { prompt in
            "CAST(x'\(prompt.text.utf8.map { String(format: "%02x", $0) }.joined())' AS TEXT)"
        }.joined(separator: ",")
        let rows = try corpus.query(CatalogueQuery(condition: "prompt IN (\(texts))", by: "mi"))
        let byPrompt = Dictionary(grouping: rows) { ExactText($0.prompt) }
        groups = order.map { ($0.text, byPrompt[$0] ?? []) }
    }

    /// A row per prompt, best first, what the selection has framed.
    func candidates() throws -> ContactSheet {
        let rows = try groups.map { group in
            let shown = Array(group.rows.prefix(columns))
            let left = group.rows.dropFirst(columns).filter { chosen.contains($0.id) }
            return ContactSheet.Row(
                label: group.prompt, cells: try (shown.dropLast(min(left.count, shown.count)) + left).map(cell))
        }
        return ContactSheet(title: "\(name): candidates by mutual information, selected ones framed", rows: rows)
    }

    private func cell(_ row: CatalogueRow) throws -> ContactSheet.Cell {
        ContactSheet.Cell(
            picture: try Picture(png: reader.image(row), named: row.id),
            caption: row.mi.map { formatted($0, digits: 1) } ?? "-", isMarked: chosen.contains(row.id))
    }

    /// ‖Δε‖² over the timesteps, for the candidates of the first prompt.
    func traces() throws -> LinePlot {
        guard let group = groups.first else {
            throw Failure("\(name): the selection is empty; there is nothing to draw")
        }
        var positions: [Int] = []
        let lines = try group.rows.prefix(columns).map { row in
            let trace = try reader.trace(row)
            if positions.isEmpty { positions = trace.timesteps.map(Int.init) }
            return LinePlot.Line(values: trace.deltaSquared.map(Double.init), isMarked: chosen.contains(row.id))
        }
        return LinePlot(
            title: "MI trace |eps(z,p,t) - eps(z,t)|^2 of the candidates for \"\(group.prompt)\", selected one in red",
            axis: "timestep t, from noise to image", positions: positions, lines: lines)
    }
}
