import DiskAccess
import Foundation

import Glibc

/// The files below a folder, hidden ones left out, in the order of their paths. Links are followed; one that leads back
/// to a folder above it is not followed again.
struct FolderTree {
    let root: URL
    /// Below the root, as the disk spells them.
    let paths: [String]
    /// The same by text: spellings that differ in normalization only (NFC, NFD) are together.
    private let spellings: [String: [String]]

    init(_ root: URL) throws(ImportError) {
        self.root = root.standardizedFileURL
        var status = stat()
        guard stat(self.root.path, &status) == 0 else {
            throw ImportError(
                self.root.path,
                errno == ENOENT ? "does not exist" : "cannot be read (\(Self.reason)); check permissions")
        }
        guard Self.isFolder(status) else { throw ImportError(self.root.path, "is not a folder") }
        var found: [String] = []
        try Self.visit(self.root.path, "", above: [Self.identity(status)], &found)
        paths = found.sorted()
        spellings = Dictionary(grouping: found) { $0 }
    }

    /// A file by its path below the root: the one with these very bytes, else one whose name is the same text; nil where
    /// there is none, or more than one.
    func find(_ path: String) -> String? {
        guard let candidates = spellings[path] else { return nil }
        return candidates.first { $0.utf8.elementsEqual(path.utf8) } ?? (candidates.count == 1 ? candidates[0] : nil)
    }

    func url(_ path: String) -> URL { root.appendingPathComponent(path) }

    /// Whether a place is a folder, and not a file.
    ///
    /// - Throws: where nothing is there, and where that cannot be known.
    static func isFolder(_ url: URL) throws(ImportError) -> Bool {
        let found: Bool?
        do throws(DiskError) { found = try Disk.isFolder(url.path) } catch {
            throw ImportError(url.path, "cannot be read (\(error.reason)); check permissions")
        }
        guard let found else { throw ImportError(url.path, "does not exist") }
        return found
    }

    private struct Identity: Hashable {
        let device: UInt64
        let number: UInt64
    }

    private static var reason: String { String(cString: strerror(errno)) }

    private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    private static func identity(_ status: stat) -> Identity {
        Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }

    private static func visit(
        _ folder: String, _ path: String, above: Set<Identity>, _ found: inout [String]
    ) throws(ImportError) {
        guard let handle = opendir(folder) else {
            throw ImportError(folder, "cannot be listed (\(reason)); check the path and its permissions")
        }
        defer { closedir(handle) }
        while true {
            errno = 0
            guard let entry = readdir(handle) else {
                if errno != 0 { throw ImportError(folder, "cannot be listed (\(reason))") }
                return
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard bytes.first != UInt8(ascii: ".") else { continue }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw ImportError(
                    folder + "/" + String(decoding: bytes, as: UTF8.self), "has a name that is not UTF-8: rename it")
            }
            let below = path.isEmpty ? name : path + "/" + name
            let kind = Int32(entry.pointee.d_type)
            if kind == Int32(DT_REG) {
                found.append(below)
                continue
            }
            var status = stat()
            // A link to nothing is a file that cannot be read.
            guard stat(folder + "/" + name, &status) == 0, isFolder(status) else {
                found.append(below)
                continue
            }
            let identity = identity(status)
            guard !above.contains(identity) else { continue }
            try visit(folder + "/" + name, below, above: above.union([identity]), &found)
        }
    }
}
