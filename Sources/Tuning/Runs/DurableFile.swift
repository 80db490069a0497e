import Foundation

/// A system call that failed, with the file it was about.
struct FileFailure: Error, CustomStringConvertible {
    let action: String
    let path: String
    let code: Int32

    init(_ action: String, _ path: String, code: Int32 = errno) {
        self.action = action
        self.path = path
        self.code = code
    }

    var description: String { "cannot \(action) \(path): \(String(cString: strerror(code)))" }
}

/// Writing that survives a kill or a power cut: the file is there whole under its name, or not at all.
enum DurableFile {
    /// Writes `data` to a file in `temporary`, then makes it appear as `target` (both on one file system).
    static func write(_ data: Data, to target: URL, temporary: URL) throws(FileFailure) {
        try makeFolder(temporary)
        try makeFolder(target.deletingLastPathComponent())
        let draft = temporary.appendingPathComponent("\(target.lastPathComponent).\(getpid())")
        do throws(FileFailure) {
            try writeAndSync(data, to: draft.path)
            guard rename(draft.path, target.path) == 0 else { throw FileFailure("rename to", target.path) }
        } catch {
            unlink(draft.path)
            throw error
        }
        try syncFolder(target.deletingLastPathComponent())
    }

    /// Makes a folder and its parents, each synced into its own parent.
    static func makeFolder(_ folder: URL) throws(FileFailure) {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { throw FileFailure("use as a folder", folder.path, code: ENOTDIR) }
            return
        }
        let parent = folder.deletingLastPathComponent()
        if parent.path != folder.path { try makeFolder(parent) }
        guard mkdir(folder.path, 0o777) == 0 || errno == EEXIST else {
            throw FileFailure("create folder", folder.path)
        }
        try syncFolder(parent)
    }

    static func syncFolder(_ folder: URL) throws(FileFailure) {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw FileFailure("open folder", folder.path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("sync folder", folder.path) }
    }

    private static func writeAndSync(_ data: Data, to path: String) throws(FileFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileFailure("create", path) }
        do throws(FileFailure) {
            try writeAll(data, to: descriptor, path: path)
            guard fsync(descriptor) == 0 else { throw FileFailure("sync", path) }
        } catch {
            close(descriptor)
            throw error
        }
        guard close(descriptor) == 0 else { throw FileFailure("close", path) }
    }

    /// Writes all of `data` to an open file.
    static func writeAll(_ data: Data, to descriptor: Int32, path: String) throws(FileFailure) {
        var code: Int32 = 0
        data.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                let written = Foundation.write(descriptor, base + done, bytes.count - done)
                if written < 0 {
                    if errno == EINTR { continue }
                    code = errno
                    return
                }
                done += written
            }
        }
        if code != 0 { throw FileFailure("write", path, code: code) }
    }
}
