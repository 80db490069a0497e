package import Foundation

/// WebDataset tars: members with one key (the name up to its first dot) are one sample, and follow each other. The caption
/// is in `.txt`, or in a `.json` object.
package struct WebDatasetArchive: PictureSource {
    private let archives: [URL]
    private let column: String
    package private(set) var count = 0

    /// Reads the archives once, to their ends.
    ///
    /// - Parameters:
    ///   - url: a .tar, .tar.gz or .tgz file, or a folder of them.
    ///   - column: the member of `.json` that captions are in.
    package init(_ url: URL, text column: String) throws {
        let url = url.standardizedFileURL
        self.column = column
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw ImportError(url.path, "does not exist")
        }
        if isFolder.boolValue {
            archives = try PictureFolder.paths(below: url).filter(Self.isArchive).map(url.appendingPathComponent)
            if archives.isEmpty { throw ImportError(url.path, "has no .tar, .tar.gz or .tgz files") }
        } else {
            guard Self.isArchive(url.path) else { throw ImportError(url.path, "is no .tar, .tar.gz or .tgz file") }
            archives = [url]
        }
        var found = 0
        try visit(readsImages: false) { _ in
            found += 1
            return true
        }
        guard found > 0 else { throw ImportError(url.path, "has no pictures") }
        count = found
    }

    package func forEach(_ body: (Picture) throws -> Bool) throws { try visit(readsImages: true, body) }

    private static func isArchive(_ name: String) -> Bool {
        [".tar", ".tar.gz", ".tgz"].contains { name.lowercased().hasSuffix($0) }
    }

    /// What has been read of one sample.
    private struct Sample {
        var key: String
        var image: (name: String, bytes: [UInt8])?
        var caption: String?
        var url: String?
    }

    private func visit(readsImages: Bool, _ body: (Picture) throws -> Bool) throws {
        for archive in archives {
            let tar = try TarReader(archive)
            var present: Sample?
            /// Hands over the sample that is complete.
            func finish() throws -> Bool {
                guard let sample = present, let image = sample.image else { return true }
                let place = "\(archive.path)!\(image.name)"
                guard let caption = sample.caption else {
                    throw ImportError(place, "has no caption: put a .txt or a .json with '\(column)' beside it")
                }
                return try body(
                    Picture(
                        origin: "\(archive.lastPathComponent)!\(image.name)", place: place, caption: caption,
                        url: sample.url, bytes: image.bytes))
            }
            while let entry = try tar.next() {
                let (key, ending) = Self.split(entry.name)
                if present?.key != key {
                    if try !finish() { return }
                    present = Sample(key: key)
                }
                try take(entry, ending, from: tar, archive, readsImages: readsImages, into: &present)
            }
            if try !finish() { return }
        }
    }

    private func take(
        _ entry: TarReader.Entry, _ ending: String, from tar: TarReader, _ archive: URL, readsImages: Bool,
        into sample: inout Sample?
    ) throws {
        let place = "\(archive.path)!\(entry.name)"
        switch ending.lowercased() {
        case "txt": sample?.caption = try TextFile.caption(tar.read(), at: place)
        case "json":
            guard let object = try? JSONSerialization.jsonObject(with: Data(try tar.read())) as? [String: Any] else {
                throw ImportError(place, "is not a JSON object in UTF-8")
            }
            if sample?.caption == nil { sample?.caption = object[column] as? String }
            sample?.url = object["url"] as? String
        case "png", "jpg", "jpeg":
            guard sample?.image == nil else { throw ImportError(place, "is the second picture of its sample") }
            sample?.image = (entry.name, readsImages ? try tar.read() : [])
        case "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "ppm":
            throw ImportError(place, "is a picture, and only .png, .jpg and .jpeg are read")
        // Class numbers, embeddings and the like.
        default: break
        }
    }

    /// Key and extension: parted at the first dot of the last component.
    private static func split(_ name: String) -> (key: String, ending: String) {
        let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        guard let dot = name[start...].firstIndex(of: ".") else { return (name, "") }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }
}
