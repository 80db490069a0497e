package import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Points in a write at which a test may fail or kill the process.
package enum FaultPoint: String, CaseIterable, Sendable {
    case beforeWrite, afterWrite, afterFileSync, afterRename, afterFolderSync
}

/// How files get into a corpus: written under tmp/, synced, renamed, and the folder synced. A reader sees the old state
/// or the new one, never something between.
package struct AtomicFiles: Sendable {
    /// Where unfinished writes live; on the same file system as their destinations.
    package let temporaryFolder: URL
    /// Called at each point; throws to simulate a failure there. Does nothing outside tests.
    package var fault: @Sendable (FaultPoint, URL) throws(CorpusError) -> Void = { _, _ in }

    package init(temporaryFolder: URL) { self.temporaryFolder = temporaryFolder }

    /// A name in tmp/ that tells which process of which host made it, so that the leftovers of dead ones can be swept.
    package func temporaryURL() -> URL {
        temporaryFolder.appending(path: "\(getpid())-\(Self.host)-\(UUID().uuidString)")
    }

    /// This host's name, without the separator. Process numbers mean nothing on another host of a shared file system.
    package static let host = ProcessInfo.processInfo.hostName.map { $0.isLetter || $0.isNumber ? String($0) : "_" }
        .joined()

    package func write(_ data: Data, to destination: URL) throws(CorpusError) {
        let temporary = temporaryURL()
        try fault(.beforeWrite, destination)
        guard FileManager.default.createFile(atPath: temporary.path, contents: nil) else {
            throw failure(temporary, "cannot be created")
        }
        do {
            let handle = try FileHandle(forWritingTo: temporary)
            defer { try? handle.close() }
            try handle.write(contentsOf: data)
        } catch {
            unlink(temporary.path)
            throw CorpusError(.io, temporary.path, "cannot be written: \(error.localizedDescription)")
        }
        try install(temporary, at: destination)
    }

    /// Makes a finished temporary file durable under its final name.
    package func install(_ temporary: URL, at destination: URL) throws(CorpusError) {
        do throws(CorpusError) {
            try fault(.afterWrite, destination)
            try sync(temporary)
            try fault(.afterFileSync, destination)
            let folder = destination.deletingLastPathComponent()
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            } catch {
                throw CorpusError(.io, folder.path, "cannot be created: \(error.localizedDescription)")
            }
            guard rename(temporary.path, destination.path) == 0 else {
                throw failure(destination, "cannot be put in place")
            }
            try fault(.afterRename, destination)
            try sync(folder)
            try sync(folder.deletingLastPathComponent())
            try fault(.afterFolderSync, destination)
        } catch {
            unlink(temporary.path)
            throw error
        }
    }

    /// Removes what processes of this host that no longer run have left behind.
    package func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: temporaryFolder.path)) ?? []
        for name in names {
            let parts = name.split(separator: "-")
            guard parts.count > 2, parts[1] == Self.host, let process = Int32(parts[0]) else { continue }
            if kill(process, 0) != 0, errno == ESRCH { unlink(temporaryFolder.appending(path: name).path) }
        }
    }

    private func sync(_ url: URL) throws(CorpusError) {
        let descriptor = open(url.path, O_RDONLY)
        guard descriptor >= 0 else { throw failure(url, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(url, "cannot be synced to disk") }
    }

    private func failure(_ url: URL, _ what: String) -> CorpusError {
        CorpusError(.io, url.path, "\(what): \(String(cString: strerror(errno)))")
    }
}
