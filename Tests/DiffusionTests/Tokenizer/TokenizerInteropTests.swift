import Diffusion
import Foundation
import Testing

/// The Swift half of the tokenizer step of Tests/Interop/adapter_interop.py, which sets ATTUNE_INTEROP to its working folder.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["ATTUNE_INTEROP"] != nil)) struct TokenizerInteropTests {
    private struct Case: Decodable {
        let folder: String
        let texts: [String]
        let ids: [[Int]]
    }

    @Test func idsAreThoseOfTransformers() throws {
        let work = URL(fileURLWithPath: ProcessInfo.processInfo.environment["ATTUNE_INTEROP"] ?? "/")
        let data = try Data(contentsOf: work.appending(path: "tokenizers/cases.json"))
        for one in try JSONDecoder().decode([Case].self, from: data) {
            let tokenizer = try CLIPTokenizer(folder: URL(fileURLWithPath: one.folder))
            var wrong: [String] = []
            for (text, ids) in zip(one.texts, one.ids) where tokenizer.encode(text).ids != ids { wrong.append(text) }
            // Letters of Unicode versions newer than Swift's tables are known to differ.
            #expect(wrong.isEmpty, "\(one.folder): \(wrong.count) of \(one.texts.count), as \(wrong.prefix(5))")
        }
    }
}
