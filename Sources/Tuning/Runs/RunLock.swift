import Corpus
import Foundation

/// The right to write to a run, held by one process at a time; the kernel lets go of it when the process ends.
final class RunLock {
    private let descriptor: Int32

    /// Takes the lock, or gives nil if another process has it.
    init?(_ file: URL) throws(CorpusError) {
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw CorpusError(.io, file.path, "cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw CorpusError(.io, file.path, "cannot be locked: \(String(cString: strerror(code)))")
        }
    }

    deinit { close(descriptor) }
}
