package import Codecs
import CorpusStore
import DiskAccess
package import Foundation
import Images
import Synchronization

/// A folder of images that was named when the gallery was started, as `--folder base=DIR`.
package struct NamedFolder: Sendable, Hashable {
    package let name: String
    package let url: URL

    package init(name: String, url: URL) { (self.name, self.url) = (name, url) }

    /// - Parameter text: `NAME=DIR`.
    /// - Throws: ``GalleryError``.
    package init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, Self.isName(parts[0]) else {
            throw GalleryError(
                "--folder \(text): give a name of a–z, 0–9, '-' and '_' with the folder, as in base=demo/base")
        }
        (name, url) = (String(parts[0]), URL(fileURLWithPath: String(parts[1]), isDirectory: true))
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}

/// An image of a named folder.
package struct FolderImage: Sendable, Hashable {
    package let folder, file: String
    /// Of the sample as `metadata.jsonl` tells it; the file's name without one.
    package let prompt: String
    package let seed: String?
    /// Names the image in addresses and votes, and says nothing of the folder: a blind page must not.
    package let token: String
}

/// The images of the named folders. What is served is found by a token in a listing of these folders: never by a path.
package final class ImageFolders: Sendable {
    package let folders: [NamedFolder]
    private let listings = Mutex<[String: (stamp: [Int], images: [FolderImage])]>([:])

    /// Images of a folder that are looked at.
    private static let most = 100_000
    /// Bytes of an image file.
    private static let largest = 256 << 20

    /// - Throws: ``GalleryError`` for a folder that is none, and for two of one name.
    package init(_ folders: [NamedFolder]) throws {
        self.folders = folders
        for (place, folder) in folders.enumerated() {
            guard !folders[..<place].contains(where: { $0.name == folder.name }) else {
                throw GalleryError("--folder \(folder.name): is given twice; give each folder a name of its own")
            }
            let isFolder = try Disk.status(folder.url.path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
            guard isFolder else {
                throw GalleryError("--folder \(folder.name)=\(folder.url.path): is not a folder; give one with images")
            }
            _ = try images(folder.name)
        }
    }

    /// In the order of `metadata.jsonl`, or of the files' names.
    ///
    /// - Throws: ``Refusal`` for a name that no folder has; what is wrong with the folder.
    package func images(_ name: String) throws -> [FolderImage] {
        guard let folder = folders.first(where: { $0.name == name }) else {
            throw Refusal.missing(
                folders.isEmpty
                    ? "there are no folders: start the gallery with --folder NAME=DIR"
                    : "there is not a folder '\(name.prefix(40))'; there are \(folders.map(\.name).joined(separator: ", "))"
            )
        }
        let stamp = try [folder.url, folder.url.appending(path: "metadata.jsonl")].flatMap { url -> [Int] in
            let found = try Disk.status(url.path)
            return [found.map { Int($0.st_mtim.tv_sec) } ?? 0, found.map { Int($0.st_mtim.tv_nsec) } ?? 0]
        }
        if let known = listings.withLock({ $0[name] }), known.stamp == stamp { return known.images }
        let images = try Self.list(folder)
        listings.withLock { $0[name] = (stamp, images) }
        return images
    }

    private static func list(_ folder: NamedFolder) throws -> [FolderImage] {
        let names = try Disk.list(folder.url.path).filter { ImageFormat(named: $0)?.isRead == true }.prefix(most)
        // Tokens stay the same from one start to the next: votes refer to them.
        let place = folder.url.resolvingSymlinksInPath().path
        func image(_ file: String, _ prompt: String, _ seed: String?) -> FolderImage {
            FolderImage(
                folder: folder.name, file: file, prompt: prompt, seed: seed,
                token: String(Digest(of: Array("\(place)\u{0}\(file)".utf8)).hex.prefix(40)))
        }
        let metadata = folder.url.appending(path: "metadata.jsonl").path
        guard let data = try Disk.readIfPresent(metadata) else {
            return names.map { image($0, $0, nil) }
        }
        struct Line: Decodable {
            var file_name: String
            var text: String?
            var seed: UInt64?
        }
        let present = Set(names)
        var images: [FolderImage] = []
        for (number, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let line = try? JSONDecoder().decode(Line.self, from: line) else {
                throw GalleryError("\(metadata): line \(number + 1) has no file_name; make the folder again")
            }
            // What is not in the folder itself is left out, wherever the line points.
            guard present.contains(line.file_name) else { continue }
            images.append(image(line.file_name, line.text ?? line.file_name, line.seed.map(String.init)))
        }
        return images
    }

    /// The image that a token names.
    ///
    /// - Throws: ``Refusal`` for one that names none.
    package func image(_ token: String) throws -> FolderImage {
        for folder in folders {
            if let found = try images(folder.name).first(where: { $0.token == token }) { return found }
        }
        throw Refusal.missing("no named folder has this image")
    }

    /// The bytes of an image's file.
    ///
    /// - Throws: ``Refusal`` for what is not an image, and for links: they may lead out of the folder.
    package func bytes(_ image: FolderImage) throws -> (bytes: [UInt8], format: ImageFormat) {
        guard let folder = folders.first(where: { $0.name == image.folder }) else {
            throw Refusal.missing("there is not a folder '\(image.folder)'")
        }
        let path = folder.url.appending(path: image.file).path
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ELOOP
                ? Refusal(status: 403, reason: "\(image.file) is a link, which may lead out of the folder")
                : Refusal(status: 422, reason: "\(image.file) cannot be opened (\(String(cString: strerror(errno))))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var found = stat()
        guard fstat(descriptor, &found) == 0, found.st_mode & S_IFMT == S_IFREG, found.st_size <= Self.largest else {
            throw Refusal(status: 422, reason: "\(image.file) is not a file of at most \(Self.largest >> 20) MiB")
        }
        let bytes = [UInt8](try handle.readToEnd() ?? Data())
        guard let format = ImageFormat(bytes), format.isRead else {
            throw Refusal(status: 422, reason: "\(image.file) is not a PNG, JPEG or WebP image")
        }
        return (bytes, format)
    }

    /// How large an image is drawn; a square for one that cannot be read, which the page then says.
    func size(_ image: FolderImage) -> (width: Int, height: Int) {
        guard let (bytes, format) = try? bytes(image), let file = try? ImageFile(bytes, format: format) else {
            return (512, 512)
        }
        return (file.width, file.height)
    }
}
