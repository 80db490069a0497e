package import CorpusStore
package import DiskAccess
package import Foundation

/// The files of one run: `runs/<name>/`.
///
/// ```
/// log.jsonl                                   what happened, one JSON object per line
/// checkpoints/<sha256>.safetensors            immutable
/// adapter/pytorch_lora_weights.safetensors    the finished adapter
/// model/                                      or the finished model, where all weights are trained
/// raw/                                        the weights of the last step, where the above is their moving average
/// validation/<step>/                          images of the validation prompts
/// tensorboard/                                event files
/// lock                                        held while a process trains
/// ```
package struct RunFolder: Sendable {
    package let root: URL
    /// How its files are written.
    package let files: AtomicFiles

    private static func all(of corpus: URL) -> URL { corpus.appending(path: "runs") }

    /// The names of a corpus's runs; none where it has no folder for them.
    package static func names(in corpus: URL) throws(DiskError) -> [String] {
        try (Disk.listIfPresent(all(of: corpus).path) ?? []).filter { !$0.hasPrefix(".") }
    }

    /// The run `name` of the corpus in `corpus`.
    package init(corpus: URL, name: String) {
        root = Self.all(of: corpus).appending(path: name)
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
    /// The finished model, in diffusers' layout.
    package var model: URL { root.appending(path: "model") }
    /// Weights of the last step, beside their moving average.
    package var raw: URL { root.appending(path: "raw") }
    /// Images of the validation prompts after some steps.
    package func validation(_ step: Int) -> URL { root.appending(path: "validation").appending(path: "\(step)") }
    package var tensorBoard: URL { root.appending(path: "tensorboard") }
    var lock: URL { root.appending(path: "lock") }
}
