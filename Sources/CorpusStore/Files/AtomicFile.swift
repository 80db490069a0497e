package import DiskAccess
package import Foundation

/// How files get into a corpus: written under tmp/, synced, renamed, and the folder synced. A reader sees the old state
/// or the new one, never something between.
///
/// A file in tmp/ is locked for as long as it is in use (``Owner``), so that nobody takes it for a leftover.
package struct AtomicFiles: Sendable {
    /// Where unfinished writes live; on the same file system as their destinations.
    package let temporaryFolder: URL

    package init(temporaryFolder: URL) { self.temporaryFolder = temporaryFolder }

    /// Makes a file of these bytes, or puts it in another's place; when this returns, it is on disk.
    package func write(_ bytes: some ContiguousBytes, to destination: URL) throws(CorpusError) {
        try reported { () throws(DiskError) in
            let temporary = try reserve()
            try temporary.file.write(bytes)
            try temporary.file.sync()
            try put(temporary.url, at: destination)
            withExtendedLifetime(temporary) {}
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
        try reported { () throws(DiskError) in
            do throws(DiskError) { return try attempt(expecting: size, body) } catch {
                // An NFS server that was restarted may have lost the file's lock, and what was written is then refused. It is
                // written again, as a new file: nothing is synced twice.
                guard error.code == EIO, FileSystem.isShared(temporaryFolder) else { throw error }
                return try attempt(expecting: size, body)
            }
        }
    }

    private func attempt<Name>(
        expecting size: Int, _ body: (inout BlockFile) throws(DiskError) -> (name: Name, destination: URL)
    ) throws(DiskError) -> Name {
        try reserving { (temporary) throws(DiskError) in
            do throws(DiskError) {
                var file = try BlockFile(temporary.path, .reserve, expecting: size)
                let made = try body(&file)
                try file.finish()
                try put(temporary, at: made.destination)
                withExtendedLifetime(file) {}
                return made.name
            } catch {
                unlink(temporary.path)
                throw error
            }
        }
    }

    /// A new, empty file in tmp/ that is this process's for as long as the object lives.
    package func temporaryFile() throws(CorpusError) -> TemporaryFile {
        try reported { () throws(DiskError) in try reserve() }
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

    func reserve() throws(DiskError) -> TemporaryFile {
        try reserving { (url) throws(DiskError) in TemporaryFile(url, try DiskFile(url.path, .reserve)) }
    }

    /// Runs `body` with names in tmp/ until it can have one for itself. Makes tmp/ where it is missing: copies lose
    /// folders that are empty.
    private func reserving<R>(_ body: (URL) throws(DiskError) -> R) throws(DiskError) -> R {
        var attempt = 0
        while true {
            let url = temporaryFolder.appending(path: Self.temporaryName())
            attempt += 1
            do throws(DiskError) { return try body(url) } catch {
                guard attempt < 10, error.path == url.path else { throw error }
                if error.code == ENOENT, attempt == 1 {
                    try Disk.makeFolder(temporaryFolder.path)
                } else if error.code != EWOULDBLOCK {
                    throw error
                }
            }
        }
    }

    private func put(_ file: URL, at destination: URL) throws(DiskError) {
        let folder = destination.deletingLastPathComponent().path
        try Disk.makeFolder(folder)
        try Disk.rename(file.path, to: destination.path)
        try Disk.syncFolder(folder)
    }
}

/// A file in tmp/ that other processes leave alone for as long as this object lives, and that goes with it unless it was
/// given a place.
package final class TemporaryFile: Sendable {
    package let url: URL
    package let file: DiskFile

    init(_ url: URL, _ file: consuming DiskFile) {
        self.url = url
        self.file = file
    }

    /// Before the lock ends: a name without a lock is anybody's to remove.
    deinit { unlink(url.path) }
}

/// Tells of a failed call as the corpus tells of everything.
func reported<R>(_ body: () throws(DiskError) -> R) throws(CorpusError) -> R {
    do throws(DiskError) { return try body() } catch { throw CorpusError(error) }
}

extension CorpusError {
    /// Only ENOENT says that something is not there.
    init(_ error: DiskError) {
        self.init(error.code == ENOENT ? .notFound : .io, error.path, error.message)
    }
}
