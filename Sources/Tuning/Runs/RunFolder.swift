package import Corpus
package import Foundation

/// The files of one run: `runs/<name>/`.
///
/// ```
/// log.jsonl                                   what happened, one JSON object per line
/// checkpoints/<sha256>.safetensors            immutable
/// adapter/pytorch_lora_weights.safetensors    the finished adapter
/// lock                                        held while a process trains
/// ```
package struct RunFolder: Sendable {
    package let root: URL
    /// How its files are written.
    package let files: AtomicFiles

    /// The run `name` of the corpus in `corpus`.
    package init(corpus: URL, name: String) {
        root = corpus.appending(path: "runs").appending(path: name)
        files = AtomicFiles(temporaryFolder: corpus.appending(path: "tmp"))
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
    package var log: URL { root.appending(path: "log.jsonl") }
    package var checkpoints: URL { root.appending(path: "checkpoints") }
    package var adapter: URL {
        root.appending(path: "adapter").appending(path: AdapterFile.name)
    }
    var lock: URL { root.appending(path: "lock") }
}
