import DiskAccess
import Foundation
import HDF5

/// How a corpus looks at its own folders. What cannot be looked at is an error that names it, never "not there".
extension Corpus {
    /// A folder's files with an ending, by name; none where there is no such folder.
    ///
    /// - Throws: ``CorpusError`` where the folder cannot be listed.
    func contents(of folder: URL, ending: String) throws(CorpusError) -> [URL] {
        let names = try reported { () throws(DiskError) in try Disk.listIfPresent(folder.path) ?? [] }
        return names.filter { $0.hasSuffix(ending) }.map { folder.appending(path: $0) }
    }

    /// Whether something is there.
    func exists(_ url: URL) throws(CorpusError) -> Bool {
        try reported { () throws(DiskError) in try Disk.exists(url.path) }
    }

    /// When a file was last changed, how large it is; nil where there is none.
    func stamp(_ url: URL) throws(CorpusError) -> FileStamp? {
        try reported { () throws(DiskError) in try FileStamp(path: url.path) }
    }

    /// The digests of all shards, sorted.
    package func shards() throws(CorpusError) -> [Digest] {
        var found: [Digest] = []
        for prefix in try shardFolders() { found += try shards(in: prefix) }
        return found.sorted()
    }

    /// The folders of shards: two hexadecimal digits each.
    func shardFolders() throws(CorpusError) -> [String] {
        try contents(of: shardsFolder, ending: "").map(\.lastPathComponent).filter {
            $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit)
        }
    }

    func shards(in prefix: String) throws(CorpusError) -> [Digest] {
        try contents(of: shardsFolder.appending(path: prefix), ending: ".h5").compactMap {
            Digest(hex: $0.deletingPathExtension().lastPathComponent)
        }
    }
}
