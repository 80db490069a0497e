import Foundation

/// A listing's rows, printed as aligned columns or as JSON.
struct Table {
    let columns: [String]
    var rows: [[String]] = []

    /// The rows under their column names; every column but the last is padded to its widest cell.
    var text: String {
        let layout = TableLayout(columns: columns, sample: rows)
        return ([columns] + rows).map(layout.line).joined(separator: "\n")
    }
}

/// The widths of a table's columns, taken from some of its rows. A longer cell of another row pushes its line aside.
struct TableLayout {
    private let widths: [Int]

    init(columns: [String], sample: [[String]]) {
        widths = columns.indices.map { column in
            max(columns[column].count, sample.lazy.map { $0[column].count }.max() ?? 0)
        }
    }

    /// Every cell but the last is padded.
    func line(_ cells: [String]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += cell
            guard index < cells.count - 1 else { break }
            line += String(repeating: " ", count: max(widths[index] - cell.count, 0) + 2)
        }
        return line
    }
}

/// `value` as JSON with sorted keys.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
