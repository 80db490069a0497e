import Foundation
import TestSupport
import Testing

/// A corpus of two prompts with three candidates each, made in a second or two.
final class SmallCorpus {
    let scratch: Scratch
    let path: String
    let prompts: String

    init() throws {
        scratch = try Scratch()
        path = scratch.path("corpus")
        prompts = try scratch.file("prompts.txt", "a red circle\r\n\na star and a cross\tshape\n\na red circle")
        try Attune.succeed("init", "--corpus", path)
        let outcome = try generate()
        guard outcome.status == 0 else { throw CocoaError(.featureUnsupported, userInfo: ["errors": outcome.errors]) }
    }

    /// The command that made it; more arguments are put at its end, where they win.
    func generate(_ more: String...) throws -> Outcome {
        try Attune.start(
            [
                "generate", "--corpus", path, "--model", Attune.model, "--prompts", prompts, "--images-per-prompt", "3",
                "--steps", "3", "--batch", "3",
            ] + more
        ).wait()
    }

    /// The shard files, in order of their names.
    var shards: [URL] {
        let root = URL(fileURLWithPath: path).appendingPathComponent("shards")
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".h5") }.sorted().map { root.appendingPathComponent($0) }
    }
}
