import Codecs
package import Foundation

extension CaptionedFolder {
    private static let metadataNames: Set<String> = ["metadata.jsonl", "metadata.csv", "metadata.parquet"]

    /// A Hugging Face imagefolder: metadata.jsonl or metadata.csv beside the images, or one in each folder, with
    /// `file_name` and a column of texts.
    ///
    /// - Parameters:
    ///   - root: the folder.
    ///   - column: the one that captions are in.
    ///   - tally: where images that are left out are counted.
    package static func imageFolder(
        _ root: URL, text column: String, tally: ImportTally = ImportTally()
    ) throws(ImportError) -> CaptionedFolder {
        let tree = try FolderTree(root)
        var (entries, namedBy) = ([Entry](), [String: String]())
        for path in try metadataFiles(tree) {
            let folder = path.split(separator: "/").dropLast()
            let file = tree.url(path).path
            let rows = try Records(tree.url(path)).rows
            // A column that no row has is not a matter of one sample.
            if let row = rows.first(where: { $0.problem == nil }), !rows.contains(where: { $0.has(column) }) {
                throw ImportError(
                    "\(file), line \(row.line)",
                    "has no \(column); its columns are \(row.names.joined(separator: ", ")), "
                        + "choose one with --text-column")
            }
            for row in rows {
                let place = "\(file), line \(row.line)"
                do throws(ImportError) {
                    var entry = try Self.entry(row, place, column, tally)
                    let below = (folder + [entry.path[...]]).joined(separator: "/")
                    entry = Entry(path: tree.find(below) ?? below, caption: entry.caption, url: entry.url)
                    // Several captions of one image are rows of one file; two files are two opinions.
                    if let other = namedBy.updateValue(file, forKey: entry.path), other != file {
                        throw ImportError(
                            place, "names \(entry.path), which \(other) names too: remove one of the two")
                    }
                    entries.append(entry)
                } catch {
                    try tally.leaveOut("line \(row.line) of \(path)", error)
                }
            }
        }
        for path in tree.paths where ImageFormat(named: path) != nil && namedBy[path] == nil {
            tally.count(path, .unlisted)
        }
        guard !entries.isEmpty || tally.hasSkipped else {
            throw ImportError(tree.root.path, "its metadata has no rows")
        }
        return try CaptionedFolder(tree, entries: entries, tally: tally)
    }

    /// The metadata files, one in a folder.
    private static func metadataFiles(_ tree: FolderTree) throws(ImportError) -> [String] {
        let files = tree.paths.filter { path in
            metadataNames.contains(path.split(separator: "/").last.map(String.init) ?? "")
        }
        for (folder, together) in Dictionary(grouping: files, by: { $0.split(separator: "/").dropLast() })
        where together.count > 1 {
            let names = together.compactMap { $0.split(separator: "/").last }.joined(separator: " and ")
            throw ImportError(
                tree.url(folder.joined(separator: "/")).path, "has \(names): which is right? Remove the other")
        }
        if let parquet = files.first(where: { $0.hasSuffix(".parquet") }) {
            throw ImportError(
                tree.url(parquet).path,
                "is Parquet, which is not read: convert it and remove it, python -c \"import pandas; "
                    + "pandas.read_parquet('metadata.parquet').to_json('metadata.jsonl', orient='records', lines=True)\""
            )
        }
        guard !files.isEmpty else {
            let hint =
                tree.paths.contains { $0.hasSuffix(".parquet") }
                ? "; Parquet files are not read: save the images with a metadata.jsonl"
                : "; for captions in .txt files give --format kohya"
            throw ImportError(tree.root.path, "has no metadata.jsonl or metadata.csv" + hint)
        }
        return files
    }

    /// What a row says; its path is below the row's folder.
    private static func entry(
        _ row: Records.Row, _ place: String, _ column: String, _ tally: ImportTally
    ) throws(ImportError) -> Entry {
        if let problem = row.problem { throw ImportError(place, problem, skippable: .row) }
        guard let name = row.text("file_name"), !name.isEmpty else {
            throw ImportError(
                place, "has no file_name; its columns are \(row.names.joined(separator: ", "))", skippable: .row)
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.hasPrefix("/"), !parts.contains(".."), !name.contains("\0") else {
            throw ImportError(place, "its file_name '\(name)' leads out of the folder", skippable: .row)
        }
        let caption = try caption(row, place, column, name, tally)
        return Entry(
            path: parts.filter { $0 != "." && !$0.isEmpty }.joined(separator: "/"), caption: caption,
            url: row.text("url").flatMap { Caption.problem($0) == nil ? $0 : nil })
    }

    private static func caption(
        _ row: Records.Row, _ place: String, _ column: String, _ name: String, _ tally: ImportTally
    ) throws(ImportError) -> String {
        guard let value = row.fields[column] else {
            throw ImportError(
                place, "has no \(column); its columns are \(row.names.joined(separator: ", "))", skippable: .caption)
        }
        return try value.caption(column, at: place, of: name, tally)
    }
}

extension JSONText {
    /// A member as a caption: the first one of a list.
    ///
    /// - Parameter member: what it is called.
    func caption(
        _ member: String, at place: String, of name: String, _ tally: ImportTally
    ) throws(ImportError) -> String {
        let text: String
        switch self {
        case .text(let value): text = value
        case .number(let spelling) where Number.hasDigits(spelling):
            text = Number.text(spelling)
        case .list(let values):
            guard let first = values.first else {
                throw ImportError(place, "its \(member) is an empty list: write a caption", skippable: .caption)
            }
            if case .list = first {
                throw ImportError(place, "its \(member) is a list of lists, no caption", skippable: .caption)
            }
            text = try first.caption("first \(member)", at: place, of: name, tally)
            if values.count > 1 { tally.remark(name, "with several captions, of which the first is taken") }
            return text
        case .brokenText:
            throw ImportError(
                place,
                "its \(member) has half of a surrogate pair (\\ud800 to \\udfff), which is not a character: "
                    + "write it again", skippable: .caption)
        case .null: throw ImportError(place, "its \(member) is null: write a caption", skippable: .caption)
        case .number(let spelling):
            throw ImportError(place, "its \(member) is \(spelling), no caption", skippable: .caption)
        case .bool(let value):
            throw ImportError(place, "its \(member) is \(value), no caption", skippable: .caption)
        case .object:
            throw ImportError(place, "its \(member) is an object, no caption", skippable: .caption)
        }
        if let problem = Caption.problem(text) { throw ImportError(place, problem, skippable: .caption) }
        return text
    }
}
