import Corpus
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file in tmp/ that a later process may continue. Where another process is fetching the same blob just now, a private
/// one.
///
/// The lock is on a file beside it: libhdf5 locks the file itself when it reads it.
final class PartialDownload {
    let file: URL
    private let lock: (path: String, descriptor: Int32)?

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
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw OCIError(.io, path, "cannot be created: \(String(cString: strerror(errno)))")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                (file, lock) = (corpus.files.temporaryURL(), nil)
                return
            }
            // The process that held the lock may have removed its file meanwhile.
            var (locked, named) = (stat(), stat())
            if fstat(descriptor, &locked) == 0, stat(path, &named) == 0, locked.st_ino == named.st_ino {
                (file, lock) = (shared, (path, descriptor))
                return
            }
            close(descriptor)
        }
    }

    func discard() { try? FileManager.default.removeItem(at: file) }

    deinit {
        guard let lock else { return }
        unlink(lock.path)
        close(lock.descriptor)
    }
}
