/// A listing's rows, printed as aligned columns.
package struct Table {
    package let columns: [String]
    package var rows: [[String]] = []

    package init(columns: [String], rows: [[String]] = []) { (self.columns, self.rows) = (columns, rows) }

    /// The rows under their column names; every column but the last is padded to its widest cell.
    package var text: String {
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
