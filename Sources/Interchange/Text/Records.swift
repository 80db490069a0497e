package import Foundation

/// Rows of named texts and numbers, from JSON lines or from CSV with a heading.
package struct Records {
    /// A row with the line that it begins on.
    package struct Row {
        package let line: Int
        let fields: [String: JSONText]
        /// Why the row cannot be read; nil where it can.
        var problem: String?

        /// A member as text; nil where it is missing, null or no text.
        package func text(_ name: String) -> String? {
            switch fields[name] {
            case .text(let text): text
            case .number(let spelling) where Number.hasDigits(spelling): Number.text(spelling)
            default: nil
            }
        }

        /// A member as a number, finite or not; nil where it is missing, null or no number.
        package func number(_ name: String) -> Double? {
            switch fields[name] {
            case .text(let text): Number.parse(text)
            case .number(let spelling): Number.parse(spelling)
            case .bool(let value): value ? 1 : 0
            default: nil
            }
        }

        package func has(_ name: String) -> Bool { fields[name] != nil }
        package var names: [String] { fields.keys.sorted() }
    }

    package let rows: [Row]

    /// Reads a file by its extension.
    package init(_ url: URL) throws(ImportError) {
        let bytes: Data
        // A table that cannot be read is more than one sample.
        do { bytes = try TextFile.read(url) } catch { throw ImportError(error.place, error.message) }
        switch url.pathExtension.lowercased() {
        case "jsonl", "ndjson": rows = try Self.jsonLines(bytes, at: url.path)
        case "csv": rows = try Self.csv(bytes, at: url.path)
        default: throw ImportError(url.path, "is not a .jsonl or .csv file")
        }
    }

    static func jsonLines(_ bytes: Data, at path: String) throws(ImportError) -> [Row] {
        var rows: [Row] = []
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        var bytes = Array(bytes)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var number = 0
        while !bytes.isEmpty {
            let end = bytes.firstIndex { $0 == cr || $0 == lf } ?? bytes.endIndex
            let line = bytes[..<end]
            bytes = bytes[end...].dropFirst(bytes[end...].starts(with: [cr, lf]) ? 2 : 1)
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            if let members = JSONText(line)?.members {
                rows.append(Row(line: number, fields: members))
            } else {
                let isText = String(validating: line, as: UTF8.self) != nil
                rows.append(
                    Row(
                        line: number, fields: [:],
                        problem: isText ? "is not a JSON object" : "is not UTF-8; save it as UTF-8"))
            }
        }
        return rows
    }

    static func csv(_ bytes: Data, at path: String) throws(ImportError) -> [Row] {
        let lines = try CSV.parse(bytes, at: path)
        guard let heading = lines.first?.cells, Set(heading).count == heading.count else {
            throw ImportError(path, "needs a first line of distinct column names")
        }
        return lines.dropFirst().map { line in
            guard line.cells.count == heading.count else {
                return Row(
                    line: line.number, fields: [:],
                    problem: "has \(line.cells.count) fields, the first line has \(heading.count)")
            }
            let fields = zip(heading, line.cells).map { ($0, JSONText.text($1)) }
            return Row(line: line.number, fields: Dictionary(uniqueKeysWithValues: fields))
        }
    }
}

/// Comma-separated values as RFC 4180 has them: quoted fields may hold commas, doubled quotes and line breaks. Lines
/// end in LF, CR LF or CR.
enum CSV {
    static func parse(_ bytes: Data, at path: String) throws(ImportError) -> [(number: Int, cells: [String])] {
        let (cr, lf, quote) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\""))
        var lines: [(number: Int, cells: [String])] = []
        var (cells, cell) = ([String](), [UInt8]())
        var (number, start, isQuoted, wasQuoted) = (1, 1, false, false)
        var rest = Array(bytes)[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        func endCell() throws(ImportError) {
            guard let text = String(validating: cell, as: UTF8.self) else {
                throw ImportError("\(path), line \(start)", "is not UTF-8; save it as UTF-8")
            }
            cells.append(text)
            (cell, wasQuoted) = ([], false)
        }
        func endLine() throws(ImportError) {
            // An empty line is not a row.
            if !cells.isEmpty || !cell.isEmpty || wasQuoted {
                try endCell()
                lines.append((start, cells))
            }
            (cells, start) = ([], number)
        }
        while let byte = rest.popFirst() {
            let endsLine = byte == lf || (byte == cr && rest.first != lf)
            if endsLine { number += 1 }
            if isQuoted {
                if byte != quote {
                    cell.append(byte)
                } else if rest.first == quote {
                    cell.append(byte)
                    rest = rest.dropFirst()
                } else {
                    isQuoted = false
                }
                continue
            }
            if endsLine {
                try endLine()
            } else if byte == cr {
                // Its line feed follows.
                continue
            } else if byte == quote, cell.isEmpty, !wasQuoted {
                (isQuoted, wasQuoted) = (true, true)
            } else if byte == UInt8(ascii: ",") {
                try endCell()
            } else {
                cell.append(byte)
            }
        }
        guard !isQuoted else { throw ImportError("\(path), line \(start)", "has a quote that does not end") }
        try endLine()
        return lines
    }
}
