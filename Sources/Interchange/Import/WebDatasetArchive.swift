package import Foundation

/// WebDataset tars: members with one key (the name up to its first dot) are one sample, and follow each other. The caption
/// is in `.txt`, or in a `.json` object.
package struct WebDatasetArchive: ImageSource {
    private let archives: [URL]
    private let column: String?
    private let tally: ImportTally
    package private(set) var count = 0

    /// Reads the archives once, to their ends.
    ///
    /// - Parameters:
    ///   - url: a .tar, .tar.gz or .tgz file, or a folder of them.
    ///   - column: the member of `.json`, or the ending, that captions are in; nil for `.txt`, else `text` of `.json`.
    ///   - tally: where samples that are left out are counted.
    package init(_ url: URL, text column: String?, tally: ImportTally = ImportTally()) throws {
        let url = url.standardizedFileURL
        (self.column, self.tally) = (column, tally)
        if try FolderTree.isFolder(url) {
            let tree = try FolderTree(url)
            archives = tree.paths.filter(Self.isArchive).map(tree.url)
            if archives.isEmpty { throw ImportError(url.path, "has no .tar, .tar.gz or .tgz files") }
        } else {
            guard Self.isArchive(url.path) else { throw ImportError(url.path, "is not a .tar, .tar.gz or .tgz file") }
            archives = [url]
        }
        var found = 0
        try visit(isFirst: true) { _ in
            found += 1
            return true
        }
        guard found > 0 || tally.hasSkipped else { throw ImportError(url.path, "has no images") }
        count = found
    }

    package func forEach(_ body: (CaptionedImage) throws -> Bool) throws { try visit(isFirst: false, body) }

    private static func isArchive(_ name: String) -> Bool {
        [".tar", ".tar.gz", ".tgz"].contains { name.lowercased().hasSuffix($0) }
    }

    /// - Parameter isFirst: whether this is the look at the layout, which reads no images and counts what is left out.
    private func visit(isFirst: Bool, _ body: (CaptionedImage) throws -> Bool) throws {
        for archive in archives {
            let tar = try TarReader(archive)
            var present: WebDatasetSample?
            /// Hands over the sample that is complete.
            func finish() throws -> Bool {
                guard let sample = present else { return true }
                let captioned: CaptionedImage
                do throws(ImportError) {
                    guard let image = try sample.image() else {
                        if isFirst { tally.count(sample.key, .noImage) }
                        return true
                    }
                    let caption = try sample.caption(column, image, isFirst ? tally : ImportTally())
                    captioned = CaptionedImage(
                        origin: "\(archive.lastPathComponent)!\(image.name)", place: sample.place(image),
                        name: image.name, caption: caption, url: sample.url, bytes: image.bytes)
                } catch {
                    // The second look leaves out what the first one counted.
                    if isFirst { try tally.leaveOut(sample.name, error) }
                    return true
                }
                return try body(captioned)
            }
            while let entry = try tar.next() {
                guard let (key, ending) = WebDatasetSample.split(entry.name) else { continue }
                if present?.key != key {
                    if try !finish() { return }
                    present = WebDatasetSample(key: key, archive: archive.path)
                }
                try present?.add(entry, ending, from: tar, column: column, readsImages: !isFirst)
            }
            if try !finish() { return }
        }
    }
}
