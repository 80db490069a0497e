package import Disk
package import Foundation

/// How files get into a corpus: written under tmp/, synced, renamed, and the folder synced. A reader sees the old state
/// or the new one, never something between.
package struct AtomicFiles: Sendable {
    /// Where unfinished writes live; on the same file system as their destinations.
    package let temporaryFolder: URL

    package init(temporaryFolder: URL) { self.temporaryFolder = temporaryFolder }

    /// A name in tmp/ that tells which process of which host made it, so that the leftovers of dead ones can be swept.
    package func temporaryURL() -> URL {
        temporaryFolder.appending(path: "\(getpid())-\(Self.host)-\(UUID().uuidString)")
    }

    /// This host's name, without the separator. Process numbers mean nothing on another host of a shared file system.
    package static let host = ProcessInfo.processInfo.hostName.map { $0.isLetter || $0.isNumber ? String($0) : "_" }
        .joined()

    /// Makes a file of these bytes, or puts it in another's place; when this returns, it is on disk.
    package func write(_ bytes: some ContiguousBytes, to destination: URL) throws(CorpusError) {
        let temporary = temporaryURL()
        try reported { () throws(DiskError) in
            do throws(DiskError) {
                try create(temporary, bytes)
                try put(temporary, at: destination)
            } catch {
                unlink(temporary.path)
                throw error
            }
        }
    }

    /// Makes a file whose name follows from what is written into it.
    ///
    /// - Parameters:
    ///   - size: about how many bytes there will be.
    ///   - body: writes, and says where the file is to lie.
    package func make<Name>(
        expecting size: Int, _ body: (inout BlockFile) throws(DiskError) -> (name: Name, destination: URL)
    ) throws(CorpusError) -> Name {
        let temporary = temporaryURL()
        return try reported { () throws(DiskError) in
            do throws(DiskError) {
                var file = try BlockFile(temporary.path, expecting: size)
                let made = try body(&file)
                try file.finish()
                try put(temporary, at: made.destination)
                return made.name
            } catch {
                unlink(temporary.path)
                throw error
            }
        }
    }

    /// Makes a finished temporary file durable under its final name.
    package func install(_ temporary: URL, at destination: URL) throws(CorpusError) {
        try reported { () throws(DiskError) in
            do throws(DiskError) {
                try DiskFile(temporary.path, .read).sync()
                try put(temporary, at: destination)
            } catch {
                unlink(temporary.path)
                throw error
            }
        }
    }

    /// Removes a file for good.
    package func remove(_ url: URL) throws(CorpusError) {
        try reported { () throws(DiskError) in
            try Disk.remove(url.path)
            try Disk.syncFolder(url.deletingLastPathComponent().path)
        }
    }

    /// Moves a file to another place of the corpus.
    package func move(_ url: URL, to destination: URL) throws(CorpusError) {
        try reported { () throws(DiskError) in
            try put(url, at: destination)
            try Disk.syncFolder(url.deletingLastPathComponent().path)
        }
    }

    /// What is known of the process that made a file, by the name that ``temporaryURL()`` gave it.
    enum Owner {
        case alive, dead
        /// It runs on another host, or the name is none of ours.
        case unknown
    }

    static func owner(of name: String) -> Owner {
        let parts = name.split(separator: "-")
        guard parts.count > 2, parts[1] == host, let process = Int32(parts[0]) else { return .unknown }
        return kill(process, 0) != 0 && errno == ESRCH ? .dead : .alive
    }

    /// Removes what processes of this host that no longer run have left behind.
    package func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: temporaryFolder.path)) ?? []
        for name in names where Self.owner(of: name) == .dead { unlink(temporaryFolder.appending(path: name).path) }
    }

    private func create(_ file: URL, _ bytes: some ContiguousBytes) throws(DiskError) {
        let open = try DiskFile(file.path, .create)
        try open.write(bytes)
        try open.sync()
    }

    private func put(_ file: URL, at destination: URL) throws(DiskError) {
        let folder = destination.deletingLastPathComponent().path
        try Disk.makeFolder(folder)
        try Disk.rename(file.path, to: destination.path)
        try Disk.syncFolder(folder)
    }
}

/// Tells of a failed call as the corpus tells of everything.
func reported<R>(_ body: () throws(DiskError) -> R) throws(CorpusError) -> R {
    do throws(DiskError) { return try body() } catch {
        throw CorpusError(error.code == ENOENT ? .notFound : .io, error.path, error.message)
    }
}
