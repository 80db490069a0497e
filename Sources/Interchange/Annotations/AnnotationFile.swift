package import CorpusStore
package import Foundation

/// A file of scores from elsewhere.
///
/// Read are JSON lines and CSV with a sample's id and a score in each row, and what T2I-CompBench's evaluators leave:
/// `vqa_result.json`, a list of `question_id` and `answer`, where the number is the place in the selection that was
/// exported for them. A JSON object of file names and scores is read too: exported images are called after their ids.
package struct AnnotationFile {
    package let values: [AnnotationValue]

    /// - Parameters:
    ///   - url: a .json, .jsonl, .ndjson or .csv file.
    ///   - scorer: the scorer's name.
    ///   - selection: what `question_id` counts in.
    ///   - column: where the scores are; nil for the first of the scorer's name, "score", "value" and "reward" that is
    ///     there.
    package init(_ url: URL, scorer: String, selection: [Digest]?, column: String? = nil) throws(ImportError) {
        let columns = column.map { [$0] } ?? [scorer, "score", "value", "reward"]
        let entries: [Entry]
        switch url.pathExtension.lowercased() {
        case "json": entries = try Self.json(url, columns)
        case "jsonl", "ndjson", "csv": entries = try Self.rows(Records(url).rows, url, columns)
        default: throw ImportError(url.path, "is not a .jsonl, .csv or .json file")
        }
        guard !entries.isEmpty else { throw ImportError(url.path, "has no scores") }
        var seen: [Digest: Double] = [:]
        var values: [AnnotationValue] = []
        for entry in entries {
            let sample = try Self.sample(entry, selection)
            guard entry.value.isFinite else { throw ImportError(entry.place, "its score is not finite") }
            if let other = seen[sample] {
                guard other == entry.value else {
                    throw ImportError(entry.place, "gives sample \(sample) another score than a line before")
                }
                continue
            }
            seen[sample] = entry.value
            values.append(AnnotationValue(sample: sample, value: entry.value))
        }
        self.values = values
    }

    private enum Name {
        case id(String)
        /// Counted in the selection that was exported.
        case number(Int)
    }

    private struct Entry {
        let place: String
        let name: Name
        let value: Double
    }

    private static func sample(_ entry: Entry, _ selection: [Digest]?) throws(ImportError) -> Digest {
        switch entry.name {
        case .id(let text):
            guard let id = id(text) else { throw ImportError(entry.place, "'\(text)' is not a sample's id") }
            return id
        case .number(let number):
            guard let selection else {
                throw ImportError(entry.place, "numbers samples: give --selection, the one that was exported")
            }
            guard selection.indices.contains(number) else {
                throw ImportError(entry.place, "is number \(number), and the selection has \(selection.count) samples")
            }
            return selection[number]
        }
    }

    /// An id, or the name of an exported file, on whatever path: `train/<id>.png` is as good as the id.
    private static func id(_ text: String) -> Digest? {
        let name = text.split { $0 == "/" || $0 == "\\" }.last ?? ""
        return Digest(hex: name.prefix { $0 != "." }.lowercased())
    }

    /// Where a sample's id may stand, the likeliest first: in pandas' files `id` is a running number.
    private static let names = ["id", "sample", "file_name", "sample_id", "image", "image_path", "filename", "path"]

    private static func rows(_ rows: [Records.Row], _ url: URL, _ columns: [String], counting unit: String = "line")
        throws(ImportError) -> [Entry]
    {
        try rows.map { row throws(ImportError) in
            let place = "\(url.path), \(unit) \(row.line)"
            if let problem = row.problem { throw ImportError(place, problem) }
            let named = names.compactMap(row.text)
            guard let id = named.first(where: { id($0) != nil }) ?? named.first else {
                throw ImportError(
                    place, "has no id or file_name; its columns are \(row.names.joined(separator: ", "))")
            }
            guard let column = columns.first(where: row.has) else {
                throw ImportError(
                    place,
                    "has no \(columns[0]); its columns are \(row.names.joined(separator: ", ")), "
                        + "choose one with --column")
            }
            guard let value = row.number(column) else { throw ImportError(place, "its \(column) is not a number") }
            return Entry(place: place, name: .id(id), value: value)
        }
    }

    /// All of a JSON document.
    private static func json(_ url: URL, _ columns: [String]) throws(ImportError) -> [Entry] {
        switch JSONText(try TextFile.read(url)) {
        case .list(let list) where !list.isEmpty && list.allSatisfy({ $0.members != nil }):
            let objects = list.compactMap(\.members)
            if !objects.contains(where: { $0["question_id"] != nil }) {
                let rows = objects.enumerated().map { Records.Row(line: $0 + 1, fields: $1) }
                return try self.rows(rows, url, columns, counting: "entry")
            }
            return try objects.enumerated().map { index, object throws(ImportError) in
                let place = "\(url.path), entry \(index + 1)"
                guard let number = whole(object["question_id"]), let value = figure(object["answer"]) else {
                    throw ImportError(place, "has no question_id and answer that are numbers")
                }
                return Entry(place: place, name: .number(number), value: value)
            }
        case .object(let scores):
            return try scores.sorted { $0.key < $1.key }.map { name, score throws(ImportError) in
                let place = "\(url.path), '\(name)'"
                guard let value = figure(score) else { throw ImportError(place, "its score is not a number") }
                return Entry(place: place, name: .id(name), value: value)
            }
        default: throw ImportError(url.path, "is neither a JSON list of answers nor an object of scores")
        }
    }

    private static func whole(_ value: JSONText?) -> Int? { figure(value).flatMap { Int(exactly: $0) } }

    /// T2I-CompBench writes its numbers as texts.
    private static func figure(_ value: JSONText?) -> Double? {
        switch value {
        case .number(let spelling), .text(let spelling): Number.parse(spelling)
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }
}
