import CSync
package import Foundation

/// The calls that look and change nothing. Only ENOENT, and ENOTDIR further up the path, mean that nothing is there: a
/// look that fails in any other way is an error, since deciding "absent" by it would lose or hide what is there.
extension Disk {
    /// What the kernel knows of a path, links followed; nil where nothing is.
    package static func status(_ path: String) throws(DiskError) -> stat? {
        if case .error(let code) = Faults.next(.stat, path) { throw DiskError("cannot be examined", path, code) }
        var status = stat()
        guard stat(path, &status) != 0 else { return status }
        guard errno == ENOENT || errno == ENOTDIR else { throw DiskError("cannot be examined", path) }
        return nil
    }

    /// Lets the looks that follow see what other hosts have done: NFS answers them from memory for up to a minute, unless
    /// it is made to ask its server.
    package static func refresh(_ path: String) { ck_refresh(path) }

    package static func exists(_ path: String) throws(DiskError) -> Bool { try status(path) != nil }

    /// Whether it is certain that nothing is there; false where that cannot be known.
    package static func isSurelyAbsent(_ path: String) -> Bool {
        do throws(DiskError) { return try !exists(path) } catch { return false }
    }

    /// Whether a path is a folder, links followed; nil where nothing is.
    package static func isFolder(_ path: String) throws(DiskError) -> Bool? {
        try status(path).map { $0.st_mode & S_IFMT == S_IFDIR }
    }

    /// Where a symbolic link leads; nil for what is not a link, and where nothing is.
    package static func linkTarget(_ path: String) throws(DiskError) -> String? {
        if case .error(let code) = Faults.next(.stat, path) { throw DiskError("cannot be examined", path, code) }
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(path, &target, target.count)
        if length >= 0 { return String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) }
        guard errno == EINVAL || errno == ENOENT || errno == ENOTDIR else {
            throw DiskError("cannot be examined", path)
        }
        return nil
    }

    /// Bytes that this user may still write to the disk of a file or folder; nil where nothing is.
    package static func freeBytes(at path: String) throws(DiskError) -> Int? {
        if case .error(let code) = Faults.next(.stat, path) { throw DiskError("cannot be examined", path, code) }
        var space = statvfs()
        if statvfs(path, &space) == 0 { return Int(space.f_bavail) * Int(space.f_frsize) }
        guard errno == ENOENT || errno == ENOTDIR else { throw DiskError("cannot be examined", path) }
        return nil
    }

    /// The names in a folder, sorted, without `.` and `..`.
    ///
    /// - Throws: ``DiskError``, with the code ENOENT where there is no such folder.
    package static func list(_ folder: String) throws(DiskError) -> [String] {
        if case .error(let code) = Faults.next(.readdir, folder) { throw DiskError("cannot be listed", folder, code) }
        guard let stream = opendir(folder) else { throw DiskError("cannot be listed", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw DiskError("cannot be listed", folder) }
        return names.sorted()
    }

    /// The same; nil where there is no such folder.
    package static func listIfPresent(_ folder: String) throws(DiskError) -> [String]? {
        do throws(DiskError) { return try list(folder) } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    /// The bytes of a file; nil where there is none.
    package static func readIfPresent(_ path: String) throws(DiskError) -> Data? {
        do throws(DiskError) { return try read(path) } catch {
            guard error.isAbsence else { throw error }
            return nil
        }
    }
}

extension DiskError {
    /// Whether the call failed because nothing is there, the only failure that says so.
    package var isAbsence: Bool { code == ENOENT || code == ENOTDIR }

    /// Whether an open file is gone: on a network file system, another host has removed it or put another in its place.
    package static func isGone(_ code: Int32) -> Bool { code == ENOENT || code == ESTALE }
}
