package import Foundation

/// The files of one run: `runs/<name>/`.
///
/// ```
/// log.jsonl                                   what happened, one JSON object a line
/// checkpoints/<sha256>.safetensors            immutable
/// adapter/pytorch_lora_weights.safetensors    the finished adapter
/// lock                                        held while a process trains
/// ```
package struct RunFolder: Sendable {
    package let root: URL
    /// Where unfinished writes live: a folder on the same file system.
    package let temporary: URL

    /// The run `name` of the corpus in `corpus`.
    package init(corpus: URL, name: String) {
        self.init(
            root: corpus.appendingPathComponent("runs").appendingPathComponent(name),
            temporary: corpus.appendingPathComponent("tmp"))
    }

    package init(root: URL, temporary: URL) {
        self.root = root
        self.temporary = temporary
    }

    /// Why `name` cannot name a run, or nil.
    package static func problem(withName name: String) -> String? {
        let allowed = name.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
                || "._-".unicodeScalars.contains($0)
        }
        if name.isEmpty || name.hasPrefix(".") || !allowed || name.utf8.count > 128 {
            return "'\(name)' cannot name a run; use up to 128 letters, digits, '.', '_' and '-', not starting with '.'"
        }
        return nil
    }

    package var name: String { root.lastPathComponent }
    package var log: URL { root.appendingPathComponent("log.jsonl") }
    package var checkpoints: URL { root.appendingPathComponent("checkpoints") }
    package var adapter: URL {
        root.appendingPathComponent("adapter").appendingPathComponent(AdapterFile.name)
    }
    var lock: URL { root.appendingPathComponent("lock") }
}

/// The right to write to a run, held by one process at a time; the kernel lets go of it when the process ends.
final class RunLock {
    private let descriptor: Int32

    /// Takes the lock, or gives nil if another process has it.
    init?(_ file: URL) throws(FileFailure) {
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileFailure("open", file.path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw FileFailure("lock", file.path, code: code)
        }
    }

    deinit { close(descriptor) }
}
