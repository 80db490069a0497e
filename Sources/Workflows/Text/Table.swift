import Synchronization

/// A listing's rows, printed as aligned columns.
package struct Table {
    package let columns: [String]
    package var rows: [[String]] = []

    package init(columns: [String], rows: [[String]] = []) { (self.columns, self.rows) = (columns, rows) }

    /// The rows under their column names, in lines that fit the terminal; every column but the last is padded to its
    /// widest cell.
    package var text: String { text(fitting: TableWidth.current) }

    /// - Parameter limit: columns that lines must fit; 0 for no limit.
    package func text(fitting limit: Int) -> String {
        let layout = TableLayout(columns: columns, sample: rows, limit: limit)
        return ([columns] + rows).map(layout.line).joined(separator: "\n")
    }
}

/// How wide tables may be: as wide as the terminal that shows them, and without a limit elsewhere, so that nothing is cut
/// that a program or a file is to have.
package enum TableWidth {
    private static let limit = Atomic<Int>(0)

    /// - Parameter columns: of the terminal; nil for no limit.
    package static func use(_ columns: Int?) { limit.store(max(columns ?? 0, 0), ordering: .relaxed) }

    /// 0 for no limit.
    static var current: Int { limit.load(ordering: .relaxed) }
}

/// The widths of a table's columns, taken from some of its rows. A longer cell of another row pushes its line aside, or is
/// cut where lines must fit a terminal.
struct TableLayout {
    private let widths: [Int]
    private let isCut: Bool

    private static let gap = 2
    /// No column is made narrower: the first digits of an id are enough to name it.
    private static let narrowest = 8

    /// - Parameter limit: what lines must fit; 0 for no limit.
    init(columns: [String], sample: [[String]], limit: Int = TableWidth.current) {
        var widths = columns.indices.map { column in
            max(
                CellText.width(columns[column]),
                sample.lazy.map { CellText.width(CellText.printable($0[column])) }.max() ?? 0)
        }
        isCut = limit > 0
        if limit > 0 {
            var excess = widths.reduce(0, +) + Self.gap * max(widths.count - 1, 0) - limit
            // Those that take most give most.
            while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > Self.narrowest
            {
                widths[widest] -= 1
                excess -= 1
            }
        }
        self.widths = widths
    }

    /// Every cell but the last is padded.
    func line(_ cells: [String]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let text = CellText.printable(cell)
            let shown = isCut ? CellText.cut(text, to: widths[index]) : text
            line += shown
            guard index < cells.count - 1 else { break }
            line += String(repeating: " ", count: max(widths[index] - CellText.width(shown), 0) + Self.gap)
        }
        return line
    }
}

/// A cell as a terminal shows it.
enum CellText {
    /// Control characters as escapes: a prompt with line ends stays one line, and none drives the terminal.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where isControl(scalar): out += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // What turns the direction of a line would turn that of its neighbors.
        default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        }
    }

    /// Columns of a terminal.
    static func width(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + width($1) }
    }

    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: break
        }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return 1
        }
    }

    /// As much as fits, with an ellipsis for what is left out.
    static func cut(_ text: String, to limit: Int) -> String {
        guard width(text) > limit else { return text }
        var (out, used) = ("", 0)
        for character in text {
            let own = width(character)
            if used + own > limit - 1 { break }
            out.append(character)
            used += own
        }
        return out + "…"
    }
}
