import Corpus
import Disk
import Foundation

/// A file in tmp/ that a later process may continue. Where another process is fetching the same blob just now, a private
/// one.
///
/// The lock is on a file beside it: libhdf5 locks the file itself when it reads it.
final class PartialDownload {
    let file: URL
    private let lock: (path: String, held: DiskLock)?

    /// Without the dashes that mark what dies with its process.
    private static func places(_ corpus: Corpus, _ digest: BlobDigest) -> (file: URL, lock: String) {
        let file = corpus.files.temporaryFolder.appending(path: "pull_\(digest.sha256.hex)")
        return (file, file.path + "_lock")
    }

    /// Removes what killed pulls have left of a blob that is not needed any more.
    static func clear(_ corpus: Corpus, _ digest: BlobDigest) {
        let (file, lock) = places(corpus, digest)
        guard [file.path, lock].contains(where: FileManager.default.fileExists(atPath:)),
            let left = try? PartialDownload(corpus, digest), left.lock != nil
        else { return }
        left.discard()
    }

    init(_ corpus: Corpus, _ digest: BlobDigest) throws(OCIError) {
        let (shared, path) = Self.places(corpus, digest)
        do throws(DiskError) {
            while let held = try DiskLock(ifFree: path) {
                // The process that held the lock may have removed its file meanwhile.
                guard held.isOnNamedFile else { continue }
                (file, lock) = (shared, (path, held))
                return
            }
        } catch {
            throw OCIError(.io, error.path, error.message)
        }
        (file, lock) = (corpus.files.temporaryURL(), nil)
    }

    func discard() { try? FileManager.default.removeItem(at: file) }

    deinit {
        // While it is still held: nobody else's file is removed.
        if let lock { try? Disk.remove(lock.path) }
    }
}
