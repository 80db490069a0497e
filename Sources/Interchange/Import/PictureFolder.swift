package import Foundation

/// Picture files of a folder with their captions, in the order of their paths.
package struct PictureFolder: PictureSource {
    struct Entry {
        /// Below the folder.
        let path: String
        let caption: String
        var url: String?
    }

    private let root: URL
    private let entries: [Entry]

    package var count: Int { entries.count }

    init(root: URL, entries: [Entry]) throws(ImportError) {
        (self.root, self.entries) = (root, entries)
        guard !entries.isEmpty else { throw ImportError(root.path, "has no pictures") }
        for entry in entries {
            let url = root.appendingPathComponent(entry.path)
            guard PictureKind(named: entry.path) != nil else {
                throw ImportError(url.path, "is no .png, .jpg or .jpeg file")
            }
            guard FileManager.default.isReadableFile(atPath: url.path) else {
                throw ImportError(url.path, "is named by the data set and missing, or cannot be read")
            }
        }
    }

    package func forEach(_ body: (Picture) throws -> Bool) throws {
        for entry in entries {
            let url = root.appendingPathComponent(entry.path)
            let picture = Picture(
                origin: "\(root.lastPathComponent)/\(entry.path)", place: url.path, caption: entry.caption,
                url: entry.url, bytes: Array(try TextFile.read(url)))
            if try !body(picture) { return }
        }
    }

    /// Paths below a folder, hidden ones left out, sorted.
    static func paths(below root: URL) throws(ImportError) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw ImportError(root.path, "is not a folder")
        }
        let paths = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }.sorted()
    }
}

extension PictureFolder {
    /// A Hugging Face imagefolder: metadata.jsonl or metadata.csv beside the pictures, or one in each folder, with
    /// `file_name` and a column of texts.
    ///
    /// - Parameter text: the column that captions are in.
    package static func imageFolder(_ root: URL, text column: String) throws(ImportError) -> PictureFolder {
        let root = root.standardizedFileURL
        var entries: [Entry] = []
        for path in try paths(below: root) {
            guard ["metadata.jsonl", "metadata.csv"].contains(path.split(separator: "/").last.map(String.init)) else {
                continue
            }
            let folder = path.split(separator: "/").dropLast()
            let url = root.appendingPathComponent(path)
            for row in try Records(url).rows {
                let place = "\(url.path), line \(row.line)"
                guard let name = row.text("file_name") else { throw ImportError(place, "has no file_name") }
                guard let caption = row.text(column) else {
                    throw ImportError(
                        place,
                        "has no \(column); its columns are \(row.names.joined(separator: ", ")), "
                            + "choose one with --text-column")
                }
                let parts = name.split(separator: "/", omittingEmptySubsequences: false)
                guard !name.hasPrefix("/"), !parts.contains(".."), !name.contains("\0") else {
                    throw ImportError(place, "its file_name '\(name)' leads out of the folder")
                }
                entries.append(
                    Entry(
                        path: (folder + parts.filter { $0 != "." }).joined(separator: "/"), caption: caption,
                        url: row.text("url")))
            }
        }
        guard !entries.isEmpty else {
            throw ImportError(
                root.path, "has no metadata.jsonl or metadata.csv; for captions in .txt files give --format kohya")
        }
        return try PictureFolder(root: root, entries: entries)
    }

    /// kohya's layout: a .txt (or .caption) file beside each picture; where there is none, the concept of a folder named
    /// `<repeats>_<concept>`.
    package static func kohya(_ root: URL) throws(ImportError) -> PictureFolder {
        let root = root.standardizedFileURL
        let paths = try paths(below: root)
        let present = Set(paths)
        var entries: [Entry] = []
        for path in paths where PictureKind(named: path) != nil {
            let stem = path.split(separator: ".", omittingEmptySubsequences: false).dropLast().joined(separator: ".")
            if let file = [".txt", ".caption"].map({ stem + $0 }).first(where: present.contains) {
                let url = root.appendingPathComponent(file)
                let caption = try TextFile.caption(TextFile.read(url), at: url.path)
                guard !caption.isEmpty else { throw ImportError(url.path, "is empty; write a caption or remove it") }
                entries.append(Entry(path: path, caption: caption))
            } else if let concept = concept(path, root) {
                entries.append(Entry(path: path, caption: concept))
            } else {
                throw ImportError(
                    root.appendingPathComponent(path).path,
                    "has no caption: write \(stem).txt, or put it in a folder "
                        + "named like 10_concept")
            }
        }
        return try PictureFolder(root: root, entries: entries)
    }

    /// What follows the repeats in the name of the picture's folder.
    private static func concept(_ path: String, _ root: URL) -> String? {
        let folder = path.split(separator: "/").dropLast().last.map(String.init) ?? root.lastPathComponent
        let parts = folder.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, Int(parts[0]) != nil else { return nil }
        return parts[1].trimmingCharacters(in: .whitespaces)
    }
}
