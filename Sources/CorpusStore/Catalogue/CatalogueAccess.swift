import DiskAccess
package import Foundation
import GRDB

/// Where the catalogue of a corpus is that this process may only read: the corpus's own as it stands, or a private one.
enum CatalogueAccess {
    /// Why a catalogue, or the folder that SQLite makes its log in, cannot be written to.
    static func writeProblem(_ path: String) -> Int32? {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return ([folder] + ["", "-wal", "-shm"].map { path + $0 }).lazy.compactMap(Permission.writeProblem).first
    }

    /// Names by which a catalogue can be opened that cannot be written to, the best first.
    static func namesForReading(_ path: String) -> [String] {
        // Where its log is empty, nobody is writing, and SQLite need not make the file that writers share. A log that cannot
        // be looked at may hold rows.
        do throws(DiskError) {
            if let log = try Disk.status(path + "-wal"), log.st_size > 0 { return [path] }
        } catch { return [path] }
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "?#%;"))
        guard let escaped = path.addingPercentEncoding(withAllowedCharacters: allowed) else { return [path] }
        return [path, "file:\(escaped)?immutable=1"]
    }

    /// Where this user's own catalogues of a corpus can be, the best place first.
    static func privatePaths(for folder: URL) -> [String] { privatePaths(for: folder, "catalog", ".sqlite") }

    /// Where this user's own files that are derived from a corpus can be, the best place first.
    static func privatePaths(for folder: URL, _ what: String, _ ending: String) -> [String] {
        // A copy under the same path is another corpus.
        let settings = (try? Disk.read(folder.appending(path: "attune.json").path)) ?? Data()
        let key = Digest(of: Data(folder.resolvingSymlinksInPath().path.utf8) + settings).hex.prefix(32)
        return cacheFolders.compactMap { cache in
            let host = FileSystem.isShared(cache) ? "-\(AtomicFiles.host)" : ""
            guard isOwn(cache) else { return nil }
            return cache.appending(path: "\(what)-\(key)\(host)\(ending)").path
        }
    }

    private static var cacheFolders: [URL] {
        let environment = ProcessInfo.processInfo.environment
        func absolute(_ name: String) -> URL? {
            environment[name].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0, isDirectory: true) : nil }
        }
        return [
            absolute("XDG_CACHE_HOME")?.appending(path: "attune"),
            absolute("HOME")?.appending(path: ".cache/attune"),
            FileManager.default.temporaryDirectory.appending(path: "attune-\(geteuid())"),
            URL(fileURLWithPath: "/tmp/attune-\(geteuid())", isDirectory: true),
        ].compactMap(\.self)
    }

    /// Whether a folder can be made or used that only this user writes to: in /tmp, others could lay one out.
    private static func isOwn(_ folder: URL) -> Bool {
        let parent = folder.deletingLastPathComponent()
        try? FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        mkdir(folder.path, 0o700)
        var status = stat()
        return lstat(folder.path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
            && status.st_mode & 0o022 == 0 && Permission.writeProblem(folder.path) == nil
    }
}

extension Corpus {
    /// A folder of this user for what is derived from the corpus and can be made again, such as thumbnails; nil where there
    /// is no place for one.
    ///
    /// - Parameter what: names the folder among others of the corpus.
    package func cacheFolder(for what: String) -> URL? {
        for path in CatalogueAccess.privatePaths(for: folder, what, "") {
            let place = URL(fileURLWithPath: path, isDirectory: true)
            do throws(DiskError) { try Disk.makeFolder(place.path) } catch { continue }
            if Permission.writeProblem(place.path) == nil { return place }
        }
        return nil
    }

    /// Opens a corpus whose catalogue this process cannot write to.
    ///
    /// Its catalogue is read as it is where it knows all shards. Else this user gets one under $XDG_CACHE_HOME, which
    /// is derived from the shards as any catalogue is.
    static func readable(_ folder: URL, scoring: any TraceScoring) throws(CorpusError) -> Corpus {
        let path = cataloguePath(folder)
        // Who may write to the corpus needs a catalogue that can index what is written.
        if writeProblem(folder) != nil {
            for name in CatalogueAccess.namesForReading(path) {
                guard let catalogue = Catalogue(reading: name, identity: scoring.identity) else { continue }
                let corpus = Corpus(folder, scoring, catalogue)
                if try corpus.isCatalogued() { return corpus }
            }
        }
        var problem: CorpusError?
        for place in CatalogueAccess.privatePaths(for: folder) {
            do throws(CorpusError) {
                return Corpus(folder, scoring, try Catalogue(path: place, identity: scoring.identity))
            } catch {
                problem = error
            }
        }
        throw problem
            ?? CorpusError(
                .io, folder.path,
                "may only be read, and there is no place for a catalogue of it: set XDG_CACHE_HOME to a folder that can be written to"
            )
    }

    /// Why this process cannot add to the corpus in a folder: the place and the error number; nil where it can.
    private static func writeProblem(_ folder: URL) -> (path: String, code: Int32)? {
        for name in ["", "shards", "selections", "runs", "refs", "tmp"] {
            let path = name.isEmpty ? folder.path : folder.appending(path: name).path
            if let code = Permission.writeProblem(path) { return (path, code) }
        }
        return nil
    }

    /// - Throws: ``CorpusError`` where this process may not write to the corpus in a folder.
    package static func requireWritable(_ folder: URL) throws(CorpusError) {
        guard let (path, code) = writeProblem(folder) else { return }
        let reason = String(cString: strerror(code))
        guard [EACCES, EPERM, EROFS].contains(code) else {
            throw CorpusError(.io, path, "cannot be examined: \(reason)")
        }
        throw CorpusError(
            .io, folder.path, "may only be read (\(reason)): get write permission, or work on a copy")
    }

    /// - Throws: ``CorpusError`` where this process may not write to the corpus.
    package func requireWritable() throws(CorpusError) { try Self.requireWritable(folder) }
}
