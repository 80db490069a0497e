package import Foundation

/// The calls that change folders, and whole files read at once.
///
/// ```swift
/// if let settings = try Disk.readIfPresent("corpus/attune.json") { print(settings.count) }
/// ```
package enum Disk {
    /// The bytes of a file: all of them, or an error.
    package static func read(_ path: String) throws(DiskError) -> Data {
        let file = try DiskFile(path, .read)
        let size = Int(try file.status().st_size)
        var data = Data(count: size)
        var failure: DiskError?
        var got = 0
        data.withUnsafeMutableBytes { bytes in
            do throws(DiskError) { got = try file.read(bytes, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        guard got == size else { throw DiskError("became shorter while it was read", path, 0) }
        return data
    }

    /// Puts a file in place of another, or where there is none, in one step.
    package static func rename(_ source: String, to destination: String) throws(DiskError) {
        if case .error(let code) = Faults.next(.rename, destination) {
            throw DiskError("cannot be put in place", destination, code)
        }
        var (before, after) = (stat(), stat())
        let isThere = stat(source, &before) == 0
        guard Foundation.rename(source, destination) != 0 else { return }
        let code = errno
        // An NFS server that was restarted after it did this and before it said so is asked once more, and finds no source.
        let isDone =
            code == ENOENT && isThere && stat(destination, &after) == 0 && after.st_ino == before.st_ino
            && after.st_dev == before.st_dev
        guard isDone else { throw DiskError("cannot be put in place", destination, code) }
    }

    /// Removes a file; one that is gone already is fine.
    package static func remove(_ path: String) throws(DiskError) {
        if case .error(let code) = Faults.next(.remove, path) { throw DiskError("cannot be removed", path, code) }
        guard unlink(path) == 0 || errno == ENOENT else { throw DiskError("cannot be removed", path) }
    }

    /// Waits until a folder's entries are on the disk. Some network and FUSE file systems have no such call: there a power
    /// failure may take what was renamed last.
    package static func syncFolder(_ path: String) throws(DiskError) {
        do throws(DiskError) { try DiskFile(path, .read).sync() } catch {
            guard error.isUnsupported else { throw error }
        }
    }

    /// Waits until everything on a folder's file system is on its disk: many small files at once cost less than each alone.
    package static func syncFileSystem(of path: String) throws(DiskError) {
        try DiskFile(path, .read).syncFileSystem()
    }

    /// Makes a folder and those above it, each of them on the disk when this returns.
    package static func makeFolder(_ path: String) throws(DiskError) {
        if try exists(path) { return }
        if case .error(let code) = Faults.next(.folder, path) { throw DiskError("cannot be created", path, code) }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if parent != path { try makeFolder(parent) }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw DiskError("cannot be created", path) }
        try syncFolder(parent)
    }
}
