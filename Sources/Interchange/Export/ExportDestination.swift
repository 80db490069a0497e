package import Foundation

/// A folder that appears complete or not at all.
///
/// An export is made in a folder beside it, which takes its place at the end. A destination that is there and cannot be
/// replaced, such as a mount point, is filled from a folder inside it instead.
package struct ExportDestination {
    package let folder: URL
    /// Whether the export is made inside it.
    let isFixed: Bool

    /// - Throws: ``ExportError`` if `folder` exists and is not an empty folder.
    package init(_ folder: URL) throws(ExportError) {
        let named = folder.standardizedFileURL
        var status = stat()
        guard stat(named.path, &status) == 0 else {
            guard errno == ENOENT else {
                throw .cannotWrite(path: named.path, reason: String(cString: strerror(errno)))
            }
            (self.folder, isFixed) = (named, false)
            return
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .destinationIsFile(path: named.path) }
        // A link's folder is filled, the link stays.
        let folder = Self.resolved(named)
        (self.folder, isFixed) = (folder, Self.isFixed(folder, status))
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        } catch {
            throw .cannotWrite(path: folder.path, reason: "cannot list it")
        }
        var own: Set<String> = []
        if isFixed {
            // A volume may begin with a folder of its file system's.
            own = ["lost+found", PartialExport.name(for: folder)]
            own.formUnion(try PartialExport.moved(in: folder))
        }
        if !own.isSuperset(of: entries) { throw .destinationNotEmpty(path: folder.path) }
    }

    /// Begins to fill it, or resumes where an interrupted export of the same identity stopped.
    func begin(_ identity: String) throws(ExportError) -> PartialExport {
        try PartialExport(for: folder, isFixed: isFixed, identity: identity)
    }

    private static func resolved(_ folder: URL) -> URL {
        guard let path = realpath(folder.path, nil) else { return folder }
        defer { free(path) }
        return URL(fileURLWithPath: String(cString: path), isDirectory: true)
    }

    /// Whether a folder that is there cannot be replaced by another of its name.
    private static func isFixed(_ folder: URL, _ status: stat) -> Bool {
        let above = folder.deletingLastPathComponent().path
        var parent = stat()
        guard stat(above, &parent) == 0, access(above, W_OK | X_OK) == 0, parent.st_dev == status.st_dev else {
            return true
        }
        let user = geteuid()
        // In folders such as /tmp only owners may replace what is there.
        if parent.st_mode & S_ISVTX != 0, user != 0, user != status.st_uid, user != parent.st_uid { return true }
        // Whoever stands in the folder would be left in one that is gone.
        return FileManager.default.currentDirectoryPath == folder.path || isMountPoint(folder.path)
    }

    /// Bind mounts lie on their parent's device and are told by the kernel's list only.
    private static func isMountPoint(_ path: String) -> Bool {
        guard let list = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return false }
        return list.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { return false }
            let point = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
                .reduce(String(fields[4])) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            return point == path
        }
    }
}
