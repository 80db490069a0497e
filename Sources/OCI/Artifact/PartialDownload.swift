import CorpusStore
import DiskAccess
import Foundation

/// A file in tmp/ that a later process may continue. Where another process is fetching the same blob just now, a private
/// one.
///
/// The lock is on a file beside it: libhdf5 locks the file itself when it reads it.
final class PartialDownload {
    let file: URL
    private let lock: (path: String, held: DiskLock)?
    /// Where the file is this process's alone.
    private let own: TemporaryFile?

    /// Without the dashes that mark what dies with its process.
    private static func places(_ corpus: Corpus, _ digest: BlobDigest) -> (file: URL, lock: String) {
        let file = corpus.files.temporaryFolder.appending(path: "pull_\(digest.sha256.hex)")
        return (file, file.path + AtomicFiles.lockEnding)
    }

    /// Removes what killed pulls have left of a blob that is not needed any more.
    static func clear(_ corpus: Corpus, _ digest: BlobDigest) {
        let (file, lock) = places(corpus, digest)
        guard ![file.path, lock].allSatisfy({ Disk.isSurelyAbsent($0) }),
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
                (file, lock, own) = (shared, (path, held), nil)
                return
            }
        } catch {
            throw OCIError(.io, error.path, error.message)
        }
        let own: TemporaryFile
        do throws(CorpusError) { own = try corpus.files.temporaryFile() } catch {
            throw OCIError(.io, error.subject, error.message)
        }
        (file, lock, self.own) = (own.url, nil, own)
    }

    func discard() { try? FileManager.default.removeItem(at: file) }

    deinit {
        // While it is still held: nobody else's file is removed.
        if let lock { try? Disk.remove(lock.path) }
    }
}
