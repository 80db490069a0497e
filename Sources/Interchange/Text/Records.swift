package import Foundation

/// Rows of named texts and numbers, from JSON lines or from CSV with a heading.
package struct Records {
    /// A row with the line that it begins on.
    package struct Row {
        package let line: Int
        let fields: [String: Field]

        /// A member as text; nil where it is missing or null.
        package func text(_ name: String) -> String? {
            switch fields[name] {
            case .text(let text): text
            case .number(let number): number == number.rounded() ? String(Int(number)) : String(number)
            case .null, .other, nil: nil
            }
        }

        /// A member as a number; nil where it is missing, null or no number.
        package func number(_ name: String) -> Double? {
            switch fields[name] {
            case .text(let text): Double(text.trimmingCharacters(in: .whitespaces))
            case .number(let number): number
            case .null, .other, nil: nil
            }
        }

        package func has(_ name: String) -> Bool { fields[name] != nil }
        package var names: [String] { fields.keys.sorted() }
    }

    enum Field: Equatable {
        case text(String)
        case number(Double)
        case null
        /// A list or an object.
        case other

        init(json value: Any) {
            switch value {
            case let text as String: self = .text(text)
            case let number as NSNumber: self = .number(number.doubleValue)
            case is NSNull: self = .null
            default: self = .other
            }
        }
    }

    package let rows: [Row]

    /// Reads a file by its extension.
    package init(_ url: URL) throws(ImportError) {
        let bytes = try TextFile.read(url)
        switch url.pathExtension.lowercased() {
        case "jsonl", "ndjson": rows = try Self.jsonLines(bytes, at: url.path)
        case "csv": rows = try Self.csv(bytes, at: url.path)
        default: throw ImportError(url.path, "is no .jsonl or .csv file")
        }
    }

    static func jsonLines(_ bytes: Data, at path: String) throws(ImportError) -> [Row] {
        var rows: [Row] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let place = "\(path), line \(index + 1)"
            let text = try TextFile.caption(line, at: place)
            if text.isEmpty { continue }
            guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
                throw ImportError(place, "is not a JSON object")
            }
            rows.append(Row(line: index + 1, fields: object.mapValues { Field(json: $0) }))
        }
        return rows
    }

    static func csv(_ bytes: Data, at path: String) throws(ImportError) -> [Row] {
        let lines = try CSV.parse(bytes, at: path)
        guard let heading = lines.first?.cells, Set(heading).count == heading.count else {
            throw ImportError(path, "needs a first line of distinct column names")
        }
        var rows: [Row] = []
        for line in lines.dropFirst() {
            guard line.cells.count == heading.count else {
                throw ImportError(
                    "\(path), line \(line.number)",
                    "has \(line.cells.count) fields, the first line has \(heading.count)")
            }
            let fields = zip(heading, line.cells).map { ($0, Field.text($1)) }
            rows.append(Row(line: line.number, fields: Dictionary(uniqueKeysWithValues: fields)))
        }
        return rows
    }
}

/// Comma-separated values as RFC 4180 has them: quoted fields may hold commas, doubled quotes and line breaks.
enum CSV {
    static func parse(_ bytes: Data, at path: String) throws(ImportError) -> [(number: Int, cells: [String])] {
        var lines: [(number: Int, cells: [String])] = []
        var (cells, cell) = ([String](), [UInt8]())
        var (number, start, isQuoted, wasQuoted) = (1, 1, false, false)
        var rest = Array(bytes)[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        func endCell() throws(ImportError) {
            cells.append(try TextFile.text(cell, at: "\(path), line \(start)"))
            (cell, wasQuoted) = ([], false)
        }
        func endLine() throws(ImportError) {
            // An empty line is no row.
            if !cells.isEmpty || !cell.isEmpty || wasQuoted {
                try endCell()
                lines.append((start, cells))
            }
            (cells, start) = ([], number)
        }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\n") { number += 1 }
            if isQuoted {
                if byte != UInt8(ascii: "\"") {
                    cell.append(byte)
                } else if rest.first == UInt8(ascii: "\"") {
                    cell.append(byte)
                    rest = rest.dropFirst()
                } else {
                    isQuoted = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\"") where cell.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
            case UInt8(ascii: ","): try endCell()
            case UInt8(ascii: "\r") where rest.first == UInt8(ascii: "\n"): break
            case UInt8(ascii: "\n"): try endLine()
            default: cell.append(byte)
            }
        }
        guard !isQuoted else { throw ImportError("\(path), line \(start)", "has a quote that does not end") }
        try endLine()
        return lines
    }
}
