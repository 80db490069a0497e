import Diffusion
import DiskAccess
import Foundation
import Markup
import Plots

/// The tables of an evaluation, of any shape: its lists of records, one table each (schemas/evaluation.schema.json).
enum EvaluationSection {
    /// - Parameter file: of `attune evaluate`.
    static func section(_ file: URL) throws -> ReportDocument.Section {
        guard let data = try Disk.readIfPresent(file.path) else {
            throw Failure("\(file.path): is missing; give --evaluation a file of attune evaluate")
        }
        guard let root = try? JSONDecoder().decode(JSONValue.self, from: data), case .object(let members) = root else {
            throw Failure("\(file.path): is not an evaluation; give --evaluation a file of attune evaluate")
        }
        let tables = members.sorted { order($0.key) < order($1.key) }.compactMap { name, value in table(name, value) }
        guard !tables.isEmpty else { throw Failure("\(file.path): has no tables") }
        let charts = plots(data).compactMap { plot in
            plot.chart.markup.map { ReportDocument.card(plot.chart.title, $0) }
        }
        let drawn = charts.isEmpty ? [] : [Markup.tag("div", ["class": "charts"], charts)]
        return ReportDocument.Section(
            "Evaluation \(file.deletingPathExtension().lastPathComponent)", drawn + tables)
    }

    /// Of a document that this version knows; tables are shown of any.
    private static func plots(_ data: Data) -> [EvaluationPlots.Plot] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        if let report = try? decoder.decode(EvaluationReport.self, from: data) { return EvaluationPlots.plots(report) }
        if let report = try? decoder.decode(AgreementJob.Report.self, from: data) {
            return EvaluationPlots.plots(report)
        }
        return []
    }

    /// Rows of a table that a report shows.
    private static let most = 400

    private static func order(_ name: String) -> String {
        let known = ["results", "differences", "best", "agreement"]
        return known.firstIndex(of: name).map { "\($0)" } ?? "9\(name)"
    }

    private static func table(_ name: String, _ value: JSONValue) -> Markup? {
        guard case .list(let rows) = value else { return nil }
        let records = rows.compactMap { row -> [String: JSONValue]? in
            if case .object(let members) = row { return members }
            return nil
        }
        // Means of each prompt are too many to read.
        guard !records.isEmpty, name != "prompts" else { return nil }
        let columns = Set(records.flatMap(\.keys)).sorted { (width($0), $0) < (width($1), $1) }
        return ReportDocument.card(
            name.prefix(1).uppercased() + name.dropFirst(),
            ReportDocument.table(
                name, columns.map { $0.replacingOccurrences(of: "_", with: " ") },
                records.prefix(most).map { record in columns.map { record[$0]?.cell ?? "–" } }))
    }

    /// What a row is about comes before its figures.
    private static func width(_ column: String) -> Int {
        ["model", "baseline", "guidance", "category", "score"].firstIndex(of: column) ?? 9
    }
}

extension JSONValue {
    /// As a cell of a table shows it.
    fileprivate var cell: String {
        switch self {
        case .text(let text): return text
        case .number(let value):
            return value == value.rounded() && abs(value) < 1e9 ? Figure.grouped(Int(value)) : Figure.short(value)
        case .integer(let value): return Figure.short(Double(value))
        case .bool(let value): return value ? "yes" : "no"
        case .list(let values): return values.map(\.cell).joined(separator: ", ")
        case .null: return "–"
        case .object(let members):
            if let mean = members["mean"]?.double {
                guard let low = members["low"]?.double, let high = members["high"]?.double else {
                    return Figure.short(mean)
                }
                return "\(Figure.short(mean)) [\(Figure.short(low)), \(Figure.short(high))]"
            }
            return members.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.cell)" }.joined(separator: ", ")
        }
    }
}
