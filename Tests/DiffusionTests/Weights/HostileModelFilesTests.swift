import Diffusion
import Foundation
import Tensors
import Testing

/// Model files that mean harm: every reading ends with values or with one line that names the file.
///
/// `ATTUNE_MUTATIONS` sets how many files of each kind are tried. Readings run in this process, so that a trap, an endless
/// loop or memory without bound fails the test run as it would fail the user.
@Suite struct HostileModelFilesTests {
    private static let mutations =
        (ProcessInfo.processInfo.environment["ATTUNE_MUTATIONS"].flatMap { Int($0) } ?? 2000) / 4

    private let folder = FileManager.default.temporaryDirectory.appending(path: "hostile-\(UUID().uuidString)")

    /// Changes to a text as they break parsers: other digits, other marks, values of other types, pieces gone or twice.
    private struct Mutation {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        private mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(bound, 1)))
        }

        private static let words = [
            "null", "-1", "1e99", "99999999999999999999", "\"x\"", "[]", "{}", "0", "true", "\\u0000", "\\n",
            "18446744073709551615",
        ].map { Array($0.utf8) }

        mutating func apply(_ bytes: inout [UInt8], in range: Range<Int>) {
            for _ in 0...next(3) {
                let at = range.lowerBound + next(range.count)
                guard at < bytes.count else { continue }
                switch next(6) {
                case 0: bytes[at] = UInt8(next(256))
                case 1: bytes[at] = UInt8(ascii: "0") + UInt8(next(10))
                case 2: bytes.insert(contentsOf: Self.words[next(Self.words.count)], at: at)
                case 3: bytes.removeSubrange(at..<min(at + 1 + next(20), bytes.count))
                case 4: bytes.insert(contentsOf: Array(bytes[at..<min(at + 1 + next(40), bytes.count)]), at: at)
                default: bytes.removeSubrange(at + next(bytes.count - at)..<bytes.count)
                }
            }
        }
    }

    /// Runs a reading, and looks at what it throws.
    ///
    /// - Returns: whether it was refused.
    private func isRefused(naming name: String, _ body: () throws -> Void) -> Bool {
        do {
            try body()
            return false
        } catch {
            let text = "\(error)"
            #expect(text.contains(name) && !text.contains(where: \.isNewline) && text.utf8.count < 4000, "\(text)")
            return true
        }
    }

    @Test func headersOfWeights() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appending(path: "weights.safetensors")
        let whole = Array(
            SafetensorsWriter.data(
                ["a.weight": Tensor(zeros: [2, 3]), "b": Tensor(zeros: [4]), "c": Tensor(zeros: [])],
                integers: ["n": [1, 2]],
                metadata: ["format": "pt", "x": "{\"r\": 4}"]))
        let end = 8 + Int(whole[0]) + Int(whole[1]) << 8
        var (refused, mutation) = (0, Mutation(seed: 1))
        for index in 0..<Self.mutations {
            var bytes = whole
            mutation.apply(&bytes, in: (index % 4 == 0 ? 0 : 8)..<end)
            // Headers of another length are read as such.
            if index % 2 == 0, bytes.count > 8 {
                let length = UInt64(max(bytes.count - (whole.count - end) - 8, 0))
                withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
            }
            try Data(bytes).write(to: url)
            refused +=
                isRefused(naming: "weights.safetensors") {
                    let file = try SafetensorsFile(url)
                    for name in file.names {
                        _ = try? file.integers(name)
                        _ = try? file.numbers(name)
                        _ = try file.weight(name, narrowing: true)
                    }
                } ? 1 : 0
        }
        #expect(refused > Self.mutations / 2)
    }

    @Test(arguments: ["tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "added_tokens.json"])
    func tokenizers(name: String) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let kept = name == "tokenizer.json" ? [name] : ["vocab.json", "merges.txt"]
        for file in kept {
            try FileManager.default.copyItem(
                at: CLIPTokenizerTests.folder.appending(path: file), to: folder.appending(path: file))
        }
        let url = folder.appending(path: name)
        let settings =
            #"{"model_max_length":24,"pad_token":{"content":"!"},"added_tokens_decoder":{"630":{"content":"<cat>"}}}"#
        let whole =
            name == "tokenizer_config.json"
            ? Array(settings.utf8)
            : name == "added_tokens.json"
                ? Array(#"{"<cat>": 630, "<dog>": 631}"#.utf8) : Array(try Data(contentsOf: url))
        var mutation = Mutation(seed: 2)
        for _ in 0..<Self.mutations / 5 {
            var bytes = whole
            mutation.apply(&bytes, in: 0..<bytes.count)
            try Data(bytes).write(to: url)
            _ = isRefused(naming: folder.lastPathComponent) {
                let tokenizer = try CLIPTokenizer(folder: folder)
                for text in ["a red <cat> star!", "<|endoftext|>", ""] {
                    let ids = tokenizer.encode(text).ids
                    #expect(ids.count == tokenizer.maximumLength)
                }
            }
        }
    }
}
