import Codecs
import Foundation

/// Image files of a folder with their captions, in the order of their paths.
package struct CaptionedFolder: ImageSource {
    struct Entry {
        /// Below the folder.
        let path: String
        let caption: String
        var url: String?
    }

    private let root: URL
    private let entries: [Entry]
    private let tally: ImportTally

    package var count: Int { entries.count }

    /// - Throws: ``ImportError`` for the first entry that is not an image file that is read; or it is left out.
    init(_ tree: FolderTree, entries: [Entry], tally: ImportTally) throws(ImportError) {
        (root, self.tally) = (tree.root, tally)
        var taken: [Entry] = []
        for entry in entries {
            if let error = Self.problem(entry.path, in: tree) {
                try tally.leaveOut(entry.path, error)
            } else {
                taken.append(entry)
            }
        }
        guard !taken.isEmpty || tally.hasSkipped else { throw ImportError(root.path, "has no images") }
        self.entries = taken
    }

    /// Why a file is not an image that is read, as far as its name, its permissions and its first bytes tell.
    private static func problem(_ path: String, in tree: FolderTree) -> ImportError? {
        let place = tree.url(path).path
        guard access(place, R_OK) == 0 else {
            let what =
                errno == ENOENT
                ? "is named by the data set and missing"
                : "cannot be read (\(String(cString: strerror(errno)))); check its permissions"
            return ImportError(place, what, skippable: .unreadable)
        }
        let named = ImageFormat(named: path)
        if named?.isRead == true { return nil }
        // Of other names the bytes are asked at once, so that the layout is checked in full.
        let found: ImageFormat?
        do { found = ImageFormat(try firstBytes(place)) } catch {
            return ImportError(place, "cannot be read (\(error.localizedDescription))", skippable: .unreadable)
        }
        if found?.isRead == true { return nil }
        let what =
            (found ?? named).map { "is a \($0.rawValue) image, and only PNG, JPEG and WebP are read: convert it" }
            ?? "is not a PNG, JPEG or WebP image (.png, .jpg, .jpeg, .webp)"
        return ImportError(place, what, skippable: .format)
    }

    private static func firstBytes(_ path: String) throws -> [UInt8] {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        return Array(try file.read(upToCount: 16) ?? Data())
    }

    package func forEach(_ body: (CaptionedImage) throws -> Bool) throws {
        for entry in entries {
            let url = root.appendingPathComponent(entry.path)
            let bytes: [UInt8]
            do throws(ImportError) {
                bytes = try Self.read(url)
            } catch {
                try tally.leaveOut(entry.path, error)
                continue
            }
            let image = CaptionedImage(
                origin: "\(root.lastPathComponent)/\(entry.path)", place: url.path, name: entry.path,
                caption: entry.caption, url: entry.url, bytes: bytes)
            if try !body(image) { return }
        }
    }

    private static func read(_ url: URL) throws(ImportError) -> [UInt8] {
        var status = stat()
        if stat(url.path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw ImportError(url.path, "is not a file", skippable: .unreadable)
            }
            guard status.st_size <= CaptionedImage.largestFile else {
                throw ImportError(url.path, "is larger than \(CaptionedImage.largestFile) bytes", skippable: .size)
            }
        }
        return Array(try TextFile.read(url))
    }
}
