import Codecs
package import Foundation

extension CaptionedFolder {
    /// What sd-scripts reads by default, then what most other trainers read.
    package static let captionExtensions = [".caption", ".txt"]

    /// kohya's layout: a caption file of the same name beside each image, of which the first line counts; where there
    /// is none, the concept of a folder named `<repeats>_<concept>`.
    ///
    /// - Parameters:
    ///   - root: the folder.
    ///   - extensions: of caption files, the first that is there counts; with a dot, in lower case.
    ///   - tally: where images that are left out are counted.
    package static func kohya(
        _ root: URL, captions extensions: [String] = captionExtensions, tally: ImportTally = ImportTally()
    ) throws(ImportError) -> CaptionedFolder {
        let tree = try FolderTree(root)
        let captions = CaptionFiles(tree, extensions)
        var entries: [Entry] = []
        for path in tree.paths where ImageFormat(named: path) != nil {
            do throws(ImportError) {
                entries.append(Entry(path: path, caption: try caption(of: path, captions, tree, tally)))
            } catch {
                try tally.leaveOut(path, error)
            }
        }
        let images = Set(tree.paths.filter { ImageFormat(named: $0) != nil }.map { CaptionFiles.parts($0).stem })
        for stem in captions.stems where !images.contains(stem) {
            for file in captions.files(of: stem + ".") { tally.count(file, .noImage) }
        }
        return try CaptionedFolder(tree, entries: entries, tally: tally)
    }

    private static func caption(
        of path: String, _ captions: CaptionFiles, _ tree: FolderTree, _ tally: ImportTally
    ) throws(ImportError) -> String {
        if let file = captions.files(of: path).first {
            let (caption, lines) = try firstLine(file, tree)
            if lines > 1 { tally.remark(path, "with captions of several lines, of which the first is taken") }
            for other in captions.files(of: path).dropFirst() where (try? firstLine(other, tree))?.caption != caption {
                tally.remark(
                    path,
                    "with other words in the second caption file; the first counts "
                        + "(\(captions.extensions.joined(separator: ", then ")); choose with --caption-extension)")
            }
            return caption
        }
        guard let concept = concept(path, tree.root) else {
            let stem = CaptionFiles.parts(path).stem
            throw ImportError(
                tree.url(path).path,
                "has no caption: write \(stem)\(captions.extensions.last ?? ".txt"), or put it in a folder named like "
                    + "10_concept", skippable: .caption)
        }
        if let problem = Caption.problem(concept) {
            throw ImportError(tree.url(path).path, problem, skippable: .caption)
        }
        tally.remark(path, "without a caption file; the folder's concept is its caption")
        return concept
    }

    /// The first line without the white space around it, and how many lines there are.
    private static func firstLine(
        _ file: String, _ tree: FolderTree
    ) throws(ImportError) -> (caption: String, lines: Int) {
        let url = tree.url(file)
        let text = try TextFile.text(TextFile.read(url), at: url.path)
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        let caption = lines.first?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        let filled = lines.dropFirst().count { !$0.allSatisfy(\.isWhitespace) }
        if caption.isEmpty {
            let what = filled > 0 ? "begins with an empty line, and the first line is the caption" : "is empty"
            throw ImportError(url.path, "\(what); write a caption or remove it", skippable: .caption)
        }
        if let problem = Caption.problem(caption) { throw ImportError(url.path, problem, skippable: .caption) }
        return (caption, 1 + filled)
    }

    /// What follows the repeats in the name of the image's folder.
    private static func concept(_ path: String, _ root: URL) -> String? {
        let folder = path.split(separator: "/").dropLast().last.map(String.init) ?? root.lastPathComponent
        let parts = folder.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, Int(parts[0]) != nil else { return nil }
        return parts[1].trimmingCharacters(in: .whitespaces)
    }
}

/// The caption files of a folder by the images that they lie beside.
private struct CaptionFiles {
    let extensions: [String]
    private let byStem: [String: [(ending: String, path: String)]]
    private let tree: FolderTree

    init(_ tree: FolderTree, _ extensions: [String]) {
        (self.tree, self.extensions) = (tree, extensions)
        var byStem: [String: [(ending: String, path: String)]] = [:]
        for path in tree.paths {
            let (stem, ending) = Self.parts(path)
            if extensions.contains(ending.lowercased()) { byStem[stem, default: []].append((ending, path)) }
        }
        self.byStem = byStem
    }

    var stems: [String] { byStem.keys.sorted() }

    /// Those of an image, in the order of the extensions: upper case and the other normalization of names count too,
    /// the exact spelling first.
    func files(of image: String) -> [String] {
        let stem = Self.parts(image).stem
        guard let candidates = byStem[stem] else { return [] }
        func rank(_ candidate: (ending: String, path: String)) -> (Int, Int, Int) {
            (
                extensions.firstIndex(of: candidate.ending.lowercased()) ?? 0,
                Self.parts(candidate.path).stem.utf8.elementsEqual(stem.utf8) ? 0 : 1,
                candidate.ending == candidate.ending.lowercased() ? 0 : 1
            )
        }
        return candidates.sorted { rank($0) < rank($1) }.map(\.path)
    }

    /// A path up to the last dot of its name, and from there on.
    static func parts(_ path: String) -> (stem: String, ending: String) {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex
        guard let dot = path[name...].utf8.lastIndex(of: UInt8(ascii: ".")), dot > name else { return (path, "") }
        return (String(path[..<dot]), String(path[dot...]))
    }
}
