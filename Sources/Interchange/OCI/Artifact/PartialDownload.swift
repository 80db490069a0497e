import Corpus
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file in tmp/ that a later process may continue. Where another process is fetching the same blob just now, a private
/// one.
final class PartialDownload {
    let file: URL
    private let lock: Int32

    init(_ corpus: Corpus, _ digest: BlobDigest) throws(OCIError) {
        // Without the dashes that mark what dies with its process.
        let shared = corpus.files.temporaryFolder.appending(path: "pull_\(digest.sha256.hex)")
        while true {
            let descriptor = open(shared.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw OCIError(.io, shared.path, "cannot be created: \(String(cString: strerror(errno)))")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                (file, lock) = (corpus.files.temporaryURL(), -1)
                return
            }
            // The process that held the lock may have moved the file to its place meanwhile.
            var (locked, named) = (stat(), stat())
            if fstat(descriptor, &locked) == 0, stat(shared.path, &named) == 0, locked.st_ino == named.st_ino {
                (file, lock) = (shared, descriptor)
                return
            }
            close(descriptor)
        }
    }

    func discard() { try? FileManager.default.removeItem(at: file) }

    deinit { if lock >= 0 { close(lock) } }
}
